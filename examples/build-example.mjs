/** Bundles an example against the built package. Your own programs simply import from 'skein'. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * Builds the package where needed, and the example.
 * @param name of the example's folder
 * @param programs its programs by name: paths in `examples/`
 * @param built a file that exists once the package is built
 * @returns folder with a bundle for each program
 */
export async function buildExample(name, programs, built) {
  if (!existsSync(inProject(built)))
    execFileSync(process.execPath, [inProject('scripts/build.mjs'), '--no-types'], { stdio: 'inherit' });
  const outdir = inProject(`dist/examples/${name}`);
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(programs).map(([program, path]) => [program, inProject(`examples/${path}`)]),
    ),
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
  return outdir;
}
