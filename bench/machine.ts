import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Report } from './report-schema.ts';

async function distribution(): Promise<string> {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

export async function describeMachine(): Promise<Report['machine']> {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: Math.max(1, processors.length),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    distribution: await distribution(),
    node: process.version,
    loadAverageBefore: loadavg()[0],
  };
}

const git = (directory: string, ...args: readonly string[]): Promise<string | null> =>
  new Promise((resolve) => {
    execFile('git', ['-C', directory, ...args], (error, stdout) => resolve(error === null ? stdout.trim() : null));
  });

/** Commit of the checkout at `directory`, with `+` if files have changed. */
export async function describeCommit(directory: string): Promise<string> {
  const commit = await git(directory, 'rev-parse', '--short=12', 'HEAD');
  if (commit === null) return 'no commit';
  const changes = await git(directory, 'status', '--porcelain', '--untracked-files=no');
  return changes === null || changes === '' ? commit : `${commit}+`;
}
