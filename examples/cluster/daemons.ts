/** Three daemons in their own processes, as `skein start -n NAME -c FILE` would run them on three machines. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const NAMES = ['d1', 'd2', 'd3'] as const;
export type DaemonName = (typeof NAMES)[number];

const CLI = fileURLToPath(new URL('../../cli.js', import.meta.url));

export class Daemons {
  readonly #folder = mkdtempSync(join(tmpdir(), 'skein-example-'));
  readonly #ports = new Map<DaemonName, number>();
  readonly #running = new Map<DaemonName, ChildProcess>();

  /** Writes the configuration of all three. On one machine each daemon needs its own address and segment. */
  async configure(): Promise<string> {
    for (const [name, port] of (await freePorts(NAMES.length)).map((p, i) => [NAMES[i]!, p] as const))
      this.#ports.set(name, port);
    const segments = NAMES.map(
      (name, i) => `Spread_Segment 127.0.0.255:${this.#ports.get(name)} {\n  ${name} 127.0.0.${i + 1}\n}\n`,
    );
    const text = `${segments.join('')}RingProfile = lan\nStateDir = ${join(this.#folder, 'state')}\n`;
    writeFileSync(this.#configFile, text);
    return text;
  }

  address(name: DaemonName): string {
    return `${this.#ports.get(name)}@127.0.0.1`;
  }

  /** Resolves when the daemon listens. */
  async start(name: DaemonName): Promise<void> {
    const args = [CLI, 'start', '-n', name, '-c', this.#configFile, '--no-unix-socket', '--log-level', 'error'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#running.set(name, child);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`daemon ${name} ended with ${code} before it was ready`);
    });
    ended.catch(() => {});
    await Promise.race([once(child.stdout!, 'data'), ended]);
    child.stdout!.resume();
  }

  /** Kills it without a goodbye, like a power failure. */
  async kill(name: DaemonName): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined || !this.#running.delete(name)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.kill(name)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #configFile(): string {
    return join(this.#folder, 'spread.conf');
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '0.0.0.0'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
