/**
 * `npm start`: installs and builds what is missing, then runs `skein start` with the given arguments. The daemon runs in this process, so
 * signals reach it directly, and its exit code is the exit code of this script. Only npm can leave it behind.
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
/** Port of the dashboard, unless another program uses it. */
const DASHBOARD_PORT = 4880;

/** When a source file last changed. */
function newestSource(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (/\.(ts|peggy|css|html)$/.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/** Runs the build, and ends it when this process is told to end. */
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

/** The parent of a process; null: unknown, or the process is gone. */
function parentOf(pid) {
  try {
    // The name in parentheses may contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return null;
  }
}

/** npm, or its shell, may be killed without passing a signal on, so this process watches them. */
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

/** Whether a configuration file or an argument decides about HTTP. */
function choosesHttp(args) {
  const hasFile = existsSync('spread.conf') || existsSync('/etc/spread.conf');
  return hasFile || args.some((arg) => /^(-c|--config\b|-h$|--help$)|httpListen/.test(arg));
}

/** @returns `port`, or 0 (any port) when it is in use */
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
