import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Shorter than a test's time limit, so that a failing test reports what it waited for. */
const PATIENCE_MS = 45_000;

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built `skein` as a process, without a terminal. */
export class Cli {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when the process has ended and all its output is read. */
  readonly ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';
  #changed: () => void = () => undefined;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    // Under npm a repeated signal may be npm's own copy; tests send one signal only.
    const { npm_lifecycle_event: _, ...own } = process.env;
    this.process = spawn(process.execPath, [CLI, ...args], { env: { ...own, ...env } });
    // A process that ends early closes its input; that is no failure.
    this.process.stdin.on('error', () => undefined);
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
        this.#changed();
      });
    });
  }

  get lines(): readonly string[] {
    return this.#stdout.split('\n').slice(0, -1);
  }

  /** Everything on standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when `condition` holds for the lines printed so far; rejects when the process ends before, or after 45 s. */
  async until(condition: (lines: readonly string[]) => boolean): Promise<void> {
    const said = (): string => `${this.#stdout}${this.#stderr}`;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`waited in vain; printed so far: ${said()}`)), PATIENCE_MS);
      this.#changed = () => {
        if (condition(this.lines)) resolve();
        else if (this.process.exitCode !== null) reject(new Error(`ended with ${this.process.exitCode}: ${said()}`));
      };
      this.#changed();
    }).finally(() => clearTimeout(timer));
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}

/** Runs to the end, with `input` on standard input. A process that does not end is killed and has the exit code null. */
export function skein(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const cli = new Cli(args, env);
  cli.process.stdin.end(input);
  const timer = setTimeout(() => cli.kill('SIGKILL'), PATIENCE_MS);
  return cli.ended.finally(() => clearTimeout(timer));
}

export interface RunningDaemon {
  readonly cli: Cli;
  readonly port: number;
  /** The value for `--spread`. */
  readonly address: string;
}

/** `skein start` on a free port, ready. */
export async function startDaemonProcess(...args: readonly string[]): Promise<RunningDaemon> {
  const cli = new Cli(['start', '--json', '--port', '0', '--no-unix-socket', '--log-level', 'warn', ...args]);
  await cli.until((lines) => lines.length > 0);
  const { port } = JSON.parse(cli.lines[0]!) as { readonly port: number };
  return { cli, port, address: `${port}@127.0.0.1` };
}
