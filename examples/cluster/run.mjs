/** Builds what is needed, then runs the example. Programs of your own simply import from 'skein'. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (!existsSync(here('../../dist/cli.js'))) {
  execFileSync(process.execPath, [here('../../scripts/build.mjs'), '--no-types'], { stdio: 'inherit' });
}
const outfile = here('../../dist/examples/cluster/cluster.js');
await build({
  entryPoints: [here('cluster.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  plugins: [
    {
      name: 'use the built skein',
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\.\.\/\.\.\/index\.ts$/ }, () => ({ path: '../../index.js', external: true })),
    },
  ],
});
await import(outfile);
