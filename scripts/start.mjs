/**
 * `npm start`: installs and builds what is missing, then is `skein start` with the arguments given. The daemon runs in this very
 * process: signals reach it without a go-between, its exit code is this one's, and there is nobody it could be left behind by but npm.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, root } from './ensure-installed.mjs';

const SOURCE_FOLDERS = ['engine', 'workers', 'client', 'cli', 'daemon', 'dashboard'];
const PARENT_LOOK_MS = 250;
/** Where the dashboard is, unless another program is there already. */
const DASHBOARD_PORT = 4880;

/** When any source file last changed. */
function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (/\.(ts|peggy|css|html)$/.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/** Builds, and takes the build along when this process is told to end. */
async function build() {
  const child = spawn(process.execPath, [join(root, 'scripts', 'build.mjs'), '--no-types'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const end = (signal) => {
    child.kill(signal);
    process.exit(128 + constants.signals[signal]);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, end);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  for (const signal of signals) process.removeListener(signal, end);
  if (code !== 0) process.exit(code ?? 1);
}

/** The parent of a process; null where the system does not tell, or it is gone. */
function parentOf(pid) {
  try {
    // The name in brackets may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return null;
  }
}

/** npm, or the shell it runs this with, may be killed or hung up on without a word to what they started. */
function endWithParents() {
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && parentOf(shell) === npm) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_LOOK_MS);
  timer.unref();
}

/** A configuration decides for itself, and so do arguments. */
function choosesHttp(args) {
  const hasFile = existsSync('spread.conf') || existsSync('/etc/spread.conf');
  return hasFile || args.some((arg) => /^(-c|--config\b|-h$|--help$)|httpListen/.test(arg));
}

/** @returns `port`, or 0 for any when it is taken */
function freePort(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}

ensureInstalled();
const cli = join(root, 'dist', 'cli.js');
const newest = Math.max(...SOURCE_FOLDERS.map((folder) => newestSource(join(root, folder))));
if (!existsSync(cli) || statSync(cli).mtimeMs < newest) await build();
const args = process.argv.slice(2);
if (process.env.npm_lifecycle_event === 'start') {
  endWithParents();
  if (!choosesHttp(args)) args.push('-o', `httpListen=127.0.0.1:${await freePort(DASHBOARD_PORT)}`);
}
process.argv = [process.argv[0], cli, 'start', ...args];
await import(pathToFileURL(cli).href);
