/** `npm run soak`: builds the daemon, bundles the soak test into dist/soak, and runs it with the given arguments. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ensureInstalled, root } from './ensure-installed.mjs';

ensureInstalled();
const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--no-types'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
const outdir = join(root, 'dist', 'soak');

await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'test/soak/main.ts',
    'driver-task': 'test/soak/driver/driver-task.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
});

const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(outdir, 'main.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;
