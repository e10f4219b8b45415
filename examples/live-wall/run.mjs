/** Builds what is needed, then runs the example. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (!existsSync(here('../../dist/browser.js'))) {
  execFileSync(process.execPath, [here('../../scripts/build.mjs'), '--no-types'], { stdio: 'inherit' });
}
const outdir = here('../../dist/examples/live-wall');
await build({
  entryPoints: { wall: here('wall.ts'), publisher: here('../event-feed/publisher.ts') },
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
process.env.SKEIN_WALL_PAGE = here('page.html');
process.env.SKEIN_WALL_LIBRARY = here('../../dist/browser.js');
await import(`${outdir}/wall.js`);
