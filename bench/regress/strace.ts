/** Counts the system calls of a process with strace. Installs strace if possible. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onExit } from '../clean-up.ts';
import { outputOf } from '../peers/child.ts';

const ATTACH_LIMIT_MS = 10_000;

function install(): void {
  if (process.getuid?.() !== 0) return;
  process.stderr.write('installing strace (apt-get)\n');
  spawnSync('apt-get', ['-q', 'install', '-y', '--no-install-recommends', 'strace'], {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

let why: string | null | undefined;

/** Why calls cannot be counted, or null. Tries once to install strace. */
export async function straceUnavailable(): Promise<string | null> {
  if (why !== undefined) return why;
  if ((await outputOf('strace', ['-V'])) === null) install();
  why = (await outputOf('strace', ['-V'])) === null ? 'strace is not installed' : null;
  return why;
}

/** Number of calls by name, from the summary of `strace -c`. */
export function parseSummary(text: string): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_0-9]+)\s*$/.exec(line);
    if (match !== null && match[2] !== 'total') calls.set(match[2], Number(match[1]));
  }
  return calls;
}

async function attached(strace: ChildProcess): Promise<void> {
  let text = '';
  const ready = new Promise<void>((resolve, reject) => {
    strace.stderr?.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (/attached/.test(text)) resolve();
    });
    strace.on('exit', () => reject(new Error(`strace: ${text.trim() || 'ended at once'}`)));
    setTimeout(() => reject(new Error(`strace did not attach: ${text.trim()}`)), ATTACH_LIMIT_MS).unref();
  });
  await ready;
}

/** Number of system calls of all threads of `pid` while `work` runs, by name. @throws (rejects) when strace cannot trace it */
export async function countCalls(
  pid: number,
  directory: string,
  work: () => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const file = join(directory, 'strace.txt');
  const strace = spawn('strace', ['-c', '-f', '-o', file, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const forget = onExit(() => strace.kill('SIGINT'));
  try {
    await attached(strace);
    await work();
  } finally {
    const ended = strace.exitCode === null ? once(strace, 'exit') : Promise.resolve();
    strace.kill('SIGINT');
    await ended;
    forget();
  }
  return parseSummary(await readFile(file, 'utf8'));
}
