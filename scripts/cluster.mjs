/** `npm run cluster`: builds the daemon and the test program, and runs daemons in network namespaces, or behind a proxy, through faults; see docs/clusters.md. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from './ensure-installed.mjs';

execFileSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url)), '--no-types'], {
  stdio: 'inherit',
});
// Inside the repository, so that the packages it does not bundle are found.
const folder = mkdtempSync(join(root, 'node_modules', '.cluster-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const outfile = join(folder, 'main.mjs');
await build({
  entryPoints: [join(root, 'test/cluster/main.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { main } = await import(pathToFileURL(outfile).href);
try {
  process.exitCode = await main(root, process.argv.slice(2));
} catch (error) {
  console.error(`cluster: ${error.message}`);
  process.exitCode = 2;
}
process.exit();
