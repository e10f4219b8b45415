#!/usr/bin/env node
import './quiet-signals.ts';
import { ExitCode } from './exit.ts';
import { run } from './program.ts';
import { outputFailure, outputGone, outputWritten, printError } from './standard-output.ts';

outputGone();
let exitCode = await run(process.argv.slice(2));
await outputWritten();
const failure = outputFailure();
if (failure !== null && exitCode === ExitCode.Ok) {
  printError(`skein: standard output: ${failure.message}`);
  exitCode = ExitCode.Failure;
}
// An open standard input would keep the process alive.
process.exit(exitCode);
