#!/usr/bin/env node
import { run } from './program.ts';

const exitCode = await run(process.argv.slice(2));
// Standard input may still be open, so the process is ended; what was written first goes out.
process.stdout.write('', () => process.exit(exitCode));
