import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { askStatus } from '../../cli/monitor/ask-status.ts';

const HOST = '127.0.0.1';
const KEPT_LINES = 20;
const WARN_LEVEL = 40;
const STATUS_TIMEOUT_MS = 3_000;
const STOP_LIMIT_MS = 8_000;

/** The daemon's own report of its state. */
export interface DaemonCounts {
  readonly sessions: number;
  readonly groups: number;
}

/** The kept part of the daemon's log. */
export class DaemonLog {
  /** The first lines that are warnings or worse. */
  readonly warnings: string[] = [];
  /** The last lines of any level. */
  readonly recent: string[] = [];

  add(line: string): void {
    if (isWarning(line) && this.warnings.length < KEPT_LINES) this.warnings.push(line);
    // Names come back before their last session's end is ordered: refusals of that kind are part of the work.
    if (line.includes('already in use')) return;
    this.recent.push(line);
    if (this.recent.length > KEPT_LINES) this.recent.shift();
  }
}

/** Lines that are not the logger's, such as a stack, count as warnings. */
function isWarning(line: string): boolean {
  const level = /^\{"level":(\d+)/.exec(line)?.[1];
  return level === undefined || Number(level) >= WARN_LEVEL;
}

/** The daemon under test: `skein start` in a process of its own. */
export class DaemonChild {
  readonly pid: number;
  readonly port: number;
  readonly threadingMode: string;
  readonly log: DaemonLog;
  readonly #process: ChildProcess;

  constructor(child: ChildProcess, port: number, threadingMode: string, log: DaemonLog) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.port = port;
    this.threadingMode = threadingMode;
    this.log = log;
  }

  /** How it ended, and what it logged; null while it runs. */
  get obituary(): string | null {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) return null;
    return `the daemon ended with ${signalCode ?? `code ${exitCode}`}: ${this.log.recent.join('\n')}`;
  }

  /** By the monitor protocol; null when it does not answer. */
  async counts(): Promise<DaemonCounts | null> {
    const [status] = await askStatus([{ name: '', address: HOST, port: this.port }], HOST, STATUS_TIMEOUT_MS);
    const { report } = status;
    return report === null ? null : { sessions: report.sessions, groups: report.groups };
  }

  async stop(): Promise<void> {
    if (this.obituary !== null) return;
    const exited = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_LIMIT_MS);
    this.#process.kill('SIGTERM');
    await exited;
    clearTimeout(timer);
  }
}

/** Runs `skein start` with `flags` on a free port of the loopback interface; rejects with its log when it does not start. */
export async function startDaemonChild(commandLine: URL, flags: readonly string[]): Promise<DaemonChild> {
  // A port of our own choice, because the monitor's port is then the same.
  const port = await freePort();
  const own = ['--json', '--log-level', 'info', '--no-unix-socket', '--listen', HOST, '--port', String(port)];
  const child = spawn(process.execPath, [fileURLToPath(commandLine), 'start', ...own, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const log = new DaemonLog();
  createInterface({ input: child.stderr }).on('line', (line) => log.add(line));
  return new Promise((resolve, reject) => {
    const exited = (): void => reject(new Error(`the daemon did not start: ${log.recent.join('\n')}`));
    child.once('close', exited);
    createInterface({ input: child.stdout }).once('line', (line) => {
      child.off('close', exited);
      const ready = JSON.parse(line) as { readonly threadingMode: string };
      resolve(new DaemonChild(child, port, ready.threadingMode, log));
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
