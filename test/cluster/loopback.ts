/** Several daemons on one machine, each with its own loopback address and segment: a segment's port serves one daemon only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DaemonCommand, DaemonProcess } from './daemon-process.ts';

export interface LoopbackCluster {
  readonly folder: string;
  readonly daemons: readonly DaemonProcess[];
  /** `port@127.0.0.1` of each daemon. */
  readonly addresses: readonly string[];
  /** Kills the daemons that still run and removes all files. */
  remove(): Promise<void>;
}

/** Options of the file besides the segments, as written there. */
export type FileOptions = Readonly<Record<string, string | number>>;

/**
 * Timers for a test machine that may stall: a token counts as lost only after 2.5 s, but daemons find each other quickly. They are
 * given as Spread's nine, from which the ring's are derived.
 */
export const PATIENT_TIMERS: FileOptions = {
  TokenTimeout: 2500,
  HurryTimeout: 200,
  AliveTimeout: 100,
  JoinTimeout: 30,
  RepTimeout: 300,
  SegTimeout: 300,
  GatherTimeout: 500,
  FormTimeout: 1000,
  LookupTimeout: 6000,
};

/** Writes the configuration of d1, d2, … on 127.0.0.1, 127.0.0.2, …; starts nothing. */
export async function loopbackCluster(
  count: number,
  options: FileOptions = {},
  command: Pick<DaemonCommand, 'cli' | 'environment'> = {},
): Promise<LoopbackCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-cluster-'));
  const ports = await freePorts(count);
  const configFile = join(folder, 'spread.conf');
  // Clients of the tests move nowhere, unless a test says so.
  const all: FileOptions = { StateDir: join(folder, 'state'), DrainTime: 0, ...options };
  writeFileSync(
    configFile,
    `${segments(ports)}${Object.entries(all)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join('')}`,
  );
  const daemons = ports.map(
    (_, i) =>
      new DaemonProcess({
        ...command,
        name: `d${i + 1}`,
        configFile,
        arguments: ['--no-unix-socket', '--log-level', 'warn'],
      }),
  );
  return {
    folder,
    daemons,
    addresses: ports.map((port) => `${port}@127.0.0.1`),
    async remove() {
      await Promise.all(daemons.map((daemon) => daemon.retire()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const segments = (ports: readonly number[]): string =>
  ports.map((port, i) => `Spread_Segment 127.0.0.255:${port} {\n  d${i + 1} 127.0.0.${i + 1}\n}\n`).join('');

/** The next higher port carries tokens, on the daemon's own address. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '0.0.0.0', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
