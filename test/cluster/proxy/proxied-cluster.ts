/** Daemons on loopback that reach each other only through the proxy, with their stations. */
import { join } from 'node:path';
import { type Random, randomFor } from '../../simulation/core/random.ts';
import { type FileOptions, type LoopbackCluster, loopbackCluster } from '../loopback.ts';
import { RunRecord } from '../run-record.ts';
import { together } from '../settle.ts';
import { Station } from '../station.ts';
import { UdpProxy } from './udp-proxy.ts';

export interface ProxiedClusterOptions {
  /** The repository, built. */
  readonly root: string;
  readonly daemons: number;
  readonly seed: number;
  readonly walkers: number;
  /** Mean pause between two actions of a client. */
  readonly pauseMs: number;
  /** Options of the configuration file besides the timers. */
  readonly configuration?: FileOptions;
}

export class ProxiedCluster {
  readonly run = new RunRecord();
  readonly stations: readonly Station[];
  readonly proxy: UdpProxy;
  /** UDP port of each daemon's segment. */
  readonly ports: readonly number[];
  readonly random: Random;
  readonly #cluster: LoopbackCluster;

  private constructor(cluster: LoopbackCluster, proxy: UdpProxy, { seed, walkers, pauseMs }: ProxiedClusterOptions) {
    this.#cluster = cluster;
    this.proxy = proxy;
    this.ports = cluster.addresses.map((address) => Number.parseInt(address, 10));
    this.random = randomFor(seed, 'faults');
    this.stations = cluster.daemons.map(
      (daemon, node) =>
        new Station({
          run: this.run,
          node,
          daemon,
          address: cluster.addresses[node]!,
          walkers,
          pauseMs,
          random: randomFor(seed, `station ${node}`),
        }),
    );
  }

  /** Starts nothing yet. */
  static async create(options: ProxiedClusterOptions): Promise<ProxiedCluster> {
    const { root, daemons, seed } = options;
    const detour = join(root, 'test', 'cluster', 'proxy', 'detour.cjs');
    const command = { cli: join(root, 'dist', 'cli.js'), environment: { NODE_OPTIONS: `--require "${detour}"` } };
    const cluster = await loopbackCluster(daemons, { RingProfile: 'lan', ...options.configuration }, command);
    try {
      const ports = cluster.addresses.map((address) => Number.parseInt(address, 10));
      return new ProxiedCluster(cluster, await UdpProxy.open(ports, randomFor(seed, 'proxy')), options);
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  /** Starts all daemons and the load; resolves when they are one ring. */
  async up(): Promise<void> {
    await Promise.all(this.stations.map((station) => station.up()));
    await together(this.stations);
    for (const station of this.stations) station.startLoad();
  }

  /** An unexpected end of a daemon is a failure of the run. */
  noteFailures(): void {
    for (const { options } of this.stations) this.run.failures.push(...options.daemon.unexpectedEnds.splice(0));
  }

  async remove(): Promise<void> {
    await this.#cluster.remove();
    this.proxy.close();
  }
}
