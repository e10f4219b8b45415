/** Builds dist/: one bundle per entry point (worker threads need real files), and the type declarations. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { generateConfigParser } from './generate-config-parser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const withTypes = !process.argv.includes('--no-types');

/** Output name in dist/ -> source entry. Entries whose room does not exist yet are an error, not a skip. */
const entryPoints = {
  index: 'index.ts',
  cli: 'cli/main.ts',
  worker: 'workers/worker-main.ts',
};

generateConfigParser();

await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(Object.entries(entryPoints).map(([name, file]) => [name, join(root, file)])),
  outdir: join(root, 'dist'),
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});

if (withTypes) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  if (!existsSync(tsc)) throw new Error('typescript is not installed: run npm install first');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.types.json')], { stdio: 'inherit' });
}
