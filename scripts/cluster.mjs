/** `npm run cluster`: runs daemons in network namespaces, or behind a proxy, through faults; see docs/clusters.md. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { importBundled } from './bundle.mjs';
import { root } from './ensure-installed.mjs';

execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url)), '--no-types'], {
  stdio: 'inherit',
});
const { main } = await importBundled('test/cluster/main.ts');
try {
  process.exitCode = await main(root, process.argv.slice(2));
} catch (error) {
  console.error(`cluster: ${error.message}`);
  process.exitCode = 2;
}
process.exit();
