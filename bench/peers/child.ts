/** Starts, awaits and ends the processes under test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onExit } from '../clean-up.ts';

const READY_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 4_000;
const KEPT_OUTPUT_BYTES = 4_000;

export interface Child {
  readonly pid: number;
  /** The end of its output. */
  output(): string;
  /** Resolves when it accepts connections; rejects with its output when it ends before. */
  listening(host: string, port: number): Promise<void>;
  /** Resolves when its output contains `text`. */
  printed(text: string): Promise<void>;
  /** SIGTERM, then SIGKILL. */
  stop(): Promise<void>;
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

class ChildImpl implements Child {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #command: string;
  #text = '';
  #ended = false;
  readonly #exit: Promise<void>;

  constructor(process: ChildProcess, command: string) {
    this.#process = process;
    this.#command = command;
    this.pid = process.pid ?? -1;
    const keep = (data: Buffer): void => {
      this.#text = (this.#text + data.toString('latin1')).slice(-KEPT_OUTPUT_BYTES);
    };
    process.stdout?.on('data', keep);
    process.stderr?.on('data', keep);
    this.#exit = new Promise((resolve) => {
      const end = (why: string): void => {
        this.#text += why;
        this.#ended = true;
        resolve();
      };
      process.on('error', (error) => end(error.message));
      process.on('exit', (code, signal) => end(`\nended with ${signal ?? `code ${code}`}`));
    });
  }

  output(): string {
    return this.#text;
  }

  async listening(host: string, port: number): Promise<void> {
    await this.#until(() => canConnect(host, port), `listens on ${host}:${port}`);
  }

  async printed(text: string): Promise<void> {
    await this.#until(async () => this.#text.includes(text), `prints "${text}"`);
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#process.kill('SIGTERM');
    await Promise.race([this.#exit, delay(STOP_LIMIT_MS)]);
    if (!this.#ended) this.#process.kill('SIGKILL');
    await this.#exit;
  }

  async #until(reached: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + READY_LIMIT_MS;
    while (!(await reached())) {
      if (this.#ended) throw new Error(`${this.#command} ended before it ${what}: ${this.#text.trim().slice(-600)}`);
      if (performance.now() > deadline) throw new Error(`${this.#command} never ${what}: ${this.#text.slice(-600)}`);
      await delay(20);
    }
  }
}

export function startChild(command: string, args: readonly string[], directory: string): Child {
  const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  child.on(
    'exit',
    onExit(() => child.kill('SIGKILL')),
  );
  return new ChildImpl(child, command);
}

/** A free TCP port, always an even one, because daemons use `port + 1` for datagrams. */
export async function freePort(): Promise<number> {
  const tryPort = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = createServer();
      server.on('error', reject);
      server.listen(port, () => {
        const address = server.address();
        const taken = typeof address === 'object' && address !== null ? address.port : 0;
        server.close(() => resolve(taken));
      });
    });
  for (;;) {
    // Below the ephemeral range, so that no outgoing connection takes it.
    const port = 14_000 + 2 * Math.floor(Math.random() * 8_000);
    try {
      await tryPort(port);
      return port;
    } catch {
      // In use: try another.
    }
  }
}

/** Output of a command; null: it cannot be run. */
export function outputOf(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 10_000 }, (error, stdout, stderr) => {
      const missing = error !== null && 'code' in error && error.code === 'ENOENT';
      resolve(missing ? null : `${stdout}${stderr}`);
    });
  });
}

/** Version printed by `command`, by the first group of `pattern`. */
export async function versionOf(command: string, args: readonly string[], pattern: RegExp): Promise<string | null> {
  const output = await outputOf(command, args);
  return output === null ? null : (pattern.exec(output)?.[1] ?? 'unknown version');
}
