/** Daemons in namespaces with their stations: sets up what a run needs and removes it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFor } from '../../simulation/core/random.ts';
import { DaemonProcess } from '../daemon-process.ts';
import { RunRecord } from '../run-record.ts';
import { together } from '../settle.ts';
import { Station } from '../station.ts';
import { type NamespaceNetwork, namespaceConfiguration, type Transport } from './network.ts';

const PORT = 4803;

export interface ClusterOptions {
  readonly cli: string;
  readonly profile: 'lan' | 'fast';
  readonly transport: Transport;
  readonly seed: number;
  readonly walkers: number;
  /** Mean pause between two actions of a client. */
  readonly pauseMs: number;
}

export class NamespaceCluster {
  readonly run = new RunRecord();
  readonly stations: readonly Station[];
  readonly network: NamespaceNetwork;
  readonly #folder: string;

  constructor(network: NamespaceNetwork, options: ClusterOptions) {
    this.network = network;
    const folder = mkdtempSync(join(tmpdir(), 'skein-netns-'));
    this.#folder = folder;
    const configFile = join(folder, 'spread.conf');
    const segment = namespaceConfiguration(network.count, options.transport, PORT);
    writeFileSync(
      configFile,
      `${segment}RingProfile = ${options.profile}\nStateDir = ${join(folder, 'state')}\nDrainTime = 0\n`,
    );
    this.stations = Array.from({ length: network.count }, (_, node) => {
      const name = `d${node + 1}`;
      const sockets = join(folder, name);
      mkdirSync(sockets);
      const given = ['--log-level', 'warn', '-o', `unixSocketDir=${sockets}`];
      const { cli, walkers, pauseMs, seed } = options;
      return new Station({
        run: this.run,
        node,
        daemon: new DaemonProcess({ name, configFile, cli, prefix: network.prefix(node), arguments: given }),
        address: { path: join(sockets, String(PORT)) },
        walkers,
        pauseMs,
        random: randomFor(seed, `station ${node}`),
      });
    });
  }

  /** Starts all daemons; resolves when they are one ring. */
  async up(): Promise<void> {
    await Promise.all(this.stations.map((station) => station.up()));
    await together(this.stations);
  }

  /** An unexpected end of a daemon is a failure of the run. */
  noteFailures(): void {
    for (const { options } of this.stations) this.run.failures.push(...options.daemon.unexpectedEnds.splice(0));
  }

  async remove(): Promise<void> {
    await Promise.all(this.stations.map(({ options }) => options.daemon.retire()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
