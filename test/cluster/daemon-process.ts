/** One daemon as its operator runs it: `skein start` in a process of its own, killed, paused and stopped by signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const READY_WITHIN_MS = 15_000;
/** Characters of standard error that the error of a failed daemon quotes. */
const KEPT_ERROR_CHARACTERS = 16_000;

export interface DaemonCommand {
  readonly name: string;
  readonly configFile: string;
  /** Further arguments of `skein start`. */
  readonly arguments?: readonly string[];
  /** What runs the command, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** The built command; default: this repository's. */
  readonly cli?: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  errors: string;
}

export class DaemonProcess {
  readonly command: DaemonCommand;
  #running: Running | null = null;
  /** Exit code or signal of each unexpected end. */
  readonly unexpectedEnds: string[] = [];
  #endExpected = false;
  #isRetired = false;

  constructor(command: DaemonCommand) {
    this.command = command;
  }

  /** The last part of what the running daemon has logged. */
  get stderr(): string {
    return this.#running?.errors ?? '';
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    if (this.#running !== null) throw new Error(`${this.command.name} is already running`);
    if (this.#isRetired) throw new Error(`${this.command.name} was ended for good and cannot start again`);
    const { name, configFile, prefix = [], cli = CLI, environment = {} } = this.command;
    const given = this.command.arguments ?? [];
    const words = [...prefix, process.execPath, cli, 'start', '-n', name, '-c', configFile, '--json', ...given];
    const child = spawn(words[0]!, words.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const running: Running = { child, exited: once(child, 'exit'), errors: '' };
    this.#running = running;
    this.#endExpected = false;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      running.errors = (running.errors + text).slice(-KEPT_ERROR_CHARACTERS);
    });
    child.once('exit', (code, signal) => {
      if (!this.#endExpected) this.unexpectedEnds.push(`${name} ended with ${signal ?? code}: ${running.errors}`);
      if (this.#running === running) this.#running = null;
    });
    await ready(child, running, name);
  }

  /** Kills it, as a power failure would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it as an operator does: it delivers what was ordered and leaves the ring. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends it as Ctrl-C does. */
  async interrupt(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** Ends it for good, even while it is starting. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.kill();
  }

  pause(): void {
    this.#running?.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#running?.child.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#endExpected = true;
    running.child.kill(signal);
    // A paused process takes no other signal than SIGKILL.
    running.child.kill('SIGCONT');
    await running.exited;
  }
}

async function ready(child: ChildProcess, running: Running, name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`daemon ${name} ${what}: ${running.errors}`));
    const timer = setTimeout(() => fail(`was not ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? code} before it was ready`));
    child.stdout!.once('data', () => {
      clearTimeout(timer);
      child.stdout!.resume();
      resolve();
    });
  });
}
