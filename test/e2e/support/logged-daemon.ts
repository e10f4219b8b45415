/** `skein start` as a process whose standard output and standard error go where a test says. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { connect } from '../../../client/index.ts';
import { eventually, freePort } from './daemons.ts';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Lines of a log. @throws SyntaxError when one is cut */
export const logLines = (text: string): readonly LogLine[] =>
  text
    .split('\n')
    .filter((line, i, lines) => i < lines.length - 1 || line !== '')
    .map((line) => JSON.parse(line) as LogLine);

/** An empty folder that is removed with the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface ProcessOptions {
  readonly args?: readonly string[];
  readonly stdio?: StdioOptions;
  readonly cwd?: string;
  readonly uid?: number;
  /** A shell command that ends with `exec "$@"`, and gets the daemon's command as its arguments. */
  readonly shell?: string;
  /** Resolve when clients can connect. */
  readonly waits?: boolean;
}

export interface LoggedDaemon {
  readonly process: ChildProcess;
  readonly port: number;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export async function loggedDaemon(options: ProcessOptions = {}): Promise<LoggedDaemon> {
  const port = await freePort();
  const args = [CLI, 'start', '--port', String(port), ...(options.args ?? [])];
  const command = options.shell === undefined ? args : ['-c', options.shell, 'sh', process.execPath, ...args];
  const child = spawn(options.shell === undefined ? process.execPath : 'sh', command, {
    stdio: options.stdio ?? ['ignore', 'ignore', 'ignore'],
    cwd: options.cwd ?? testFolder(),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on('exit', (code, signal) => resolve(code ?? signal)),
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  if (options.waits !== false) await eventually(() => canConnect(port), 'the daemon to listen');
  return { process: child, port, ended };
}

async function canConnect(port: number): Promise<boolean> {
  return connect({ address: `${port}@127.0.0.1`, connectTimeoutMs: 1000 }).then(
    (session) => session.close().then(() => true),
    () => false,
  );
}

/** Opens and closes sessions: each logs two lines of about 190 bytes at level debug. */
export async function knock(port: number, times: number): Promise<void> {
  const once = (): Promise<void> => connect({ address: `${port}@127.0.0.1` }).then((session) => session.close());
  for (let done = 0; done < times; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, once));
}

const AT_ONCE = 20;

/** Connects, joins, sends and receives; each logs lines at level debug. */
export async function useDaemon(port: number, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    const session = await connect({ address: `${port}@127.0.0.1` });
    await session.join('room');
    session.multicast('room', `message ${i}`);
    for await (const event of session) if (event.kind === 'message') break;
    await session.close();
  }
}
