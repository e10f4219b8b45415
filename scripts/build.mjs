/**
 * Builds dist/: ES modules for each entry point (worker threads need real files), CommonJS bundles of the two library entries, and
 * one declaration file for each of them.
 *
 *     node scripts/build.mjs [--no-types] [--clean]
 *
 * `--no-types` does not build the declarations; `--clean` empties dist/ first, so that a package has no stale files.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root } from './ensure-installed.mjs';

const withTypes = !process.argv.includes('--no-types');
const isClean = process.argv.includes('--clean');

ensureInstalled();
const { build } = await import('esbuild');
const { bundleDashboard } = await import('./bundle-dashboard.mjs');
const { browserBundle } = await import('./browser-bundle.mjs');
const { generateConfigParser } = await import('./generate-config-parser.mjs');

const dist = join(root, 'dist');

/** Output name in dist/ -> source entry. */
const libraryEntries = { index: 'index.ts', client: 'client/index.ts' };
/** The entry for browsers has its own bundle. */
const declaredEntries = { ...libraryEntries, browser: 'client/browser/library.ts' };
const programEntries = { cli: 'cli/main.ts', worker: 'workers/worker-main.ts' };

generateConfigParser();
if (isClean) rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
/** Built into the daemon; a daemon that runs from source reads the file. */
const dashboard = await bundleDashboard(root);
writeFileSync(join(dist, 'dashboard.html'), dashboard);

/** @type {import('esbuild').BuildOptions} */
const common = {
  define: { SKEIN_DASHBOARD: JSON.stringify(dashboard) },
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
};

await buildEsModules();
await buildCommonJs();
await build(browserBundle(root));
if (withTypes) await buildDeclarations();

function buildEsModules() {
  return build({ ...common, entryPoints: { ...libraryEntries, ...programEntries }, splitting: true, format: 'esm' });
}

/** Both entries load the client from one bundle, so that its classes are the same in both. */
function buildCommonJs() {
  const clientOnce = {
    name: 'client-once',
    setup(plugin) {
      plugin.onResolve({ filter: /^\.\/client\/index\.ts$/ }, ({ kind }) =>
        kind === 'entry-point' ? null : { path: './client.cjs', external: true },
      );
    },
  };
  return build({
    ...common,
    entryPoints: libraryEntries,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    plugins: [clientOnce],
    // CommonJS has no import.meta; worker threads are started from a file beside the bundle.
    define: { ...common.define, 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
}

async function buildDeclarations() {
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  const bundle = await rollup({
    input: Object.fromEntries(Object.entries(declaredEntries).map(([name, file]) => [name, join(root, file)])),
    external: [/^node:/, 'pino', 'zod'],
    plugins: [dts({ tsconfig: join(root, 'tsconfig.types.json') })],
  });
  const { output } = await bundle.write({ dir: dist, format: 'es', chunkFileNames: '[name].d.ts' });
  await bundle.close();
  // CommonJS modules must find the declarations that several entries share as CommonJS.
  for (const { fileName, code, isEntry, name } of output)
    if (!isEntry || name in libraryEntries)
      writeFileSync(
        join(dist, fileName.replace(/\.d\.ts$/, '.d.cts')),
        code.replaceAll(/'(\.\/[\w-]+)\.js'/g, "'$1.cjs'"),
      );
}
