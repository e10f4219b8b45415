/** Bundles the client library into one file that needs nothing of Node. */
import { join } from 'node:path';

/** @returns {import('esbuild').BuildOptions} */
export const browserBundle = (root) => ({
  absWorkingDir: root,
  entryPoints: { browser: 'client/browser/library.ts' },
  outdir: join(root, 'dist'),
  bundle: true,
  platform: 'browser',
  format: 'esm',
  target: 'es2022',
  minify: true,
  keepNames: false,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
  inject: ['client/browser/globals-in-browsers.ts'],
  alias: {
    'node:events': './client/browser/events-in-browsers.ts',
    'node:util': './client/browser/util-in-browsers.ts',
  },
});
