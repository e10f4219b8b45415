/** Bundles a TypeScript program for one run, and installs missing packages. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, root } from './ensure-installed.mjs';

/**
 * @param entry path of its main file in the repository
 * @returns its module
 */
export async function importBundled(entry) {
  ensureInstalled();
  const { build } = await import('esbuild');
  // Inside the repository, where Node finds the packages that are not bundled.
  const folder = mkdtempSync(join(root, 'node_modules', '.bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'main.mjs');
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}
