/** `npm start`: installs and builds what is missing, then runs `skein start` with the arguments given. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root } from './ensure-installed.mjs';

const SOURCE_FOLDERS = ['engine', 'workers', 'client', 'cli', 'daemon'];

/** When any source file last changed. */
function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (/\.(ts|peggy)$/.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

ensureInstalled();
const cli = join(root, 'dist', 'cli.js');
const newest = Math.max(...SOURCE_FOLDERS.map((folder) => newestSource(join(root, folder))));
if (!existsSync(cli) || statSync(cli).mtimeMs < newest) {
  const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), '--no-types'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
const daemon = spawn(process.execPath, [cli, 'start', ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => daemon.kill(signal));
daemon.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
