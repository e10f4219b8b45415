/**
 * A network namespace with one link to this machine, which can be cut: the other side then vanishes silently, as when a machine
 * loses its power. Needs root and iproute2.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

const succeeds = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const ip = (...args: readonly string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

const PROBE = `skprobe${process.pid % 10_000}`;

export function canCutLinks(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const isAble = succeeds('ip', 'netns', 'add', PROBE);
  if (isAble) ip('netns', 'del', PROBE);
  return isAble;
}

let made = 0;

export class CutLink {
  /** Addresses of this side and of the side in the namespace. */
  readonly here: string;
  readonly there: string;
  readonly #name: string;
  readonly #children: ChildProcess[] = [];

  /** Removed with the test. */
  constructor() {
    const number = made++;
    this.#name = `skcut${process.pid % 100_000}x${number}`.slice(0, 14);
    const network = `10.${200 + (number % 50)}.${process.pid % 250}`;
    this.here = `${network}.1`;
    this.there = `${network}.2`;
    onTestFinished(() => this.#remove());
    const inside = ['-n', this.#name];
    ip('netns', 'add', this.#name);
    ip('link', 'add', this.#name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name);
    ip('addr', 'add', `${this.here}/24`, 'dev', this.#name);
    ip('link', 'set', this.#name, 'up');
    ip(...inside, 'addr', 'add', `${this.there}/24`, 'dev', 'eth0');
    ip(...inside, 'link', 'set', 'eth0', 'up');
    ip(...inside, 'link', 'set', 'lo', 'up');
  }

  /** Runs node in the namespace. Resolves when it has printed a line that holds `ready`. */
  async run(args: readonly string[], ready: string): Promise<void> {
    const child = spawn('ip', ['netns', 'exec', this.#name, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        printed += chunk.toString();
        if (printed.includes(ready)) resolve();
      };
      child.stdout.on('data', onData);
      child.stderr.on('data', onData);
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${printed}`)));
    });
  }

  /** Nothing passes from here on. This side keeps its address and does not notice. */
  cut(): void {
    ip('-n', this.#name, 'addr', 'flush', 'dev', 'eth0');
    ip('-n', this.#name, 'link', 'set', 'eth0', 'address', '02:00:00:00:00:01');
    ip('-n', this.#name, 'neigh', 'flush', 'all');
    ip('-n', this.#name, 'link', 'set', 'eth0', 'down');
  }

  #remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    succeeds('ip', 'link', 'del', this.#name);
    succeeds('ip', 'netns', 'del', this.#name);
  }
}
