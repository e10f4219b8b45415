/** Bundles a program in TypeScript for one run of it. Installs what is missing. */
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
  // Inside the repository, so that the packages it does not bundle are found.
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
