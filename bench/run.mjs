/**
 * Builds skein, bundles the benchmarks into dist/bench, and runs one: `node bench/run.mjs [micro|regress|profile] [arguments]`. Without a name
 * it runs the end-to-end suite.
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled, root } from '../scripts/ensure-installed.mjs';

ensureInstalled();
// Measure the current sources, not an old build.
execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--no-types'], { stdio: 'inherit' });
const { build } = await import('esbuild');
const outdir = join(root, 'dist', 'bench');
const COMMANDS = ['micro', 'regress', 'profile'];

await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'bench/main.ts',
    'load-worker': 'bench/load/load-worker.ts',
    'relay-daemon': 'bench/peers/relay-daemon.ts',
    micro: 'bench/micro/main.ts',
    'micro-family': 'bench/micro/family-thread.ts',
    'micro-partner': 'bench/micro/partner-thread.ts',
    regress: 'bench/regress/main.ts',
    'regress-agents': 'bench/regress/agents-probe.ts',
    'regress-daemon': 'bench/regress/daemon-probe.ts',
    profile: 'bench/profile/main.ts',
    'profile-daemon': 'bench/profile/daemon.ts',
    'profile-workers': 'bench/profile/profile-workers.ts',
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

const [first, ...rest] = process.argv.slice(2);
const [entry, given] = COMMANDS.includes(first) ? [first, rest] : ['main', process.argv.slice(2)];
const child = spawn(process.execPath, ['--enable-source-maps', join(outdir, `${entry}.js`), ...given], {
  stdio: 'inherit',
});
// The child cleans up and ends; this process waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
