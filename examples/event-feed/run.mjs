/** Builds what is needed, then runs the example. Programs of your own simply import from 'skein'. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (!existsSync(here('../../dist/index.js'))) {
  execFileSync(process.execPath, [here('../../scripts/build.mjs'), '--no-types'], { stdio: 'inherit' });
}
const outdir = here('../../dist/examples/event-feed');
await build({
  entryPoints: ['feed', 'publisher', 'counter', 'archive', 'late-joiner'].map((name) => here(`${name}.ts`)),
  outdir,
  bundle: true,
  splitting: true,
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
await import(`${outdir}/feed.js`);
