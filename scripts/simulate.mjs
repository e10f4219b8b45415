/** `npm run simulate`: bundles the simulator and runs it; see docs/simulation.md. */
import { importBundled } from './bundle.mjs';
import { root } from './ensure-installed.mjs';

const { main } = await importBundled('test/simulation/main.ts');
process.exitCode = await main(root, process.argv.slice(2));
