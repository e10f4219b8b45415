/** `npm run cluster`: see docs/clusters.md. */
import { setTimeout as delay } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { randomFor } from '../../simulation/core/random.ts';
import { numberBetween } from '../arguments.ts';
import { report } from '../report.ts';
import { settle } from '../settle.ts';
import { injectFaults } from './faults.ts';
import { LIMITS, MEASURED, type Measurements, measureViews } from './measure.ts';
import { NamespaceCluster } from './namespace-cluster.ts';
import { MOST_DAEMONS, NamespaceNetwork, requireNamespaces, type Transport } from './network.ts';

const WARM_UP_MS = 1000;
const CALM_PAUSE_MS = 20;

interface Flags {
  readonly daemons: number;
  readonly minutes: number;
  readonly seed: number;
  readonly transport: Transport;
  readonly rounds: number;
  readonly pause: number;
  readonly quiet?: true;
}

/** @returns the exit code: 1 when a property is violated or a daemon ended unexpectedly */
export async function main(cli: string, args: readonly string[]): Promise<number> {
  const flags = parse(args);
  requireNamespaces();
  const network = new NamespaceNetwork(flags.daemons);
  const started: NamespaceCluster[] = [];
  let isCancelled = false;
  const cancelled = new Promise<'cancelled'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        isCancelled = true;
        resolve('cancelled');
      });
  });
  const start = (profile: 'lan' | 'fast', walkers: number, pauseMs: number): NamespaceCluster => {
    const { transport, seed } = flags;
    const cluster = new NamespaceCluster(network, { cli, profile, transport, seed, walkers, pauseMs });
    started.push(cluster);
    return cluster;
  };
  try {
    const work = runAll(flags, network, start, () => isCancelled);
    work.catch(() => {});
    const result = await Promise.race([work, cancelled]);
    if (result !== 'cancelled') return result;
    console.error('interrupted');
    return 130;
  } finally {
    await Promise.all(started.map((cluster) => cluster.remove()));
    network.remove();
  }
}

function parse(args: readonly string[]): Flags {
  return new Command('cluster')
    .description(
      'Runs daemons with sending clients in network namespaces, through kills, pauses, cut links and packet loss.',
    )
    .option('--daemons <n>', 'how many', numberBetween(2, MOST_DAEMONS, true), 3)
    .option('--minutes <m>', 'how long faults are injected', numberBetween(0, 24 * 60, false), 2)
    .option('--seed <s>', 'of the faults and the clients', numberBetween(0, 2 ** 32, true), 1)
    .option('--rounds <n>', 'measurements of each kind and profile', numberBetween(0, 1000, true), 5)
    .option('--pause <ms>', 'mean pause between two actions of a client', numberBetween(1, 10_000, false), 10)
    .option('--quiet', 'do not print each fault')
    .addOption(
      new Option('--transport <how>', 'how a datagram reaches all daemons')
        .choices(['unicast', 'multicast', 'broadcast'])
        .default('unicast'),
    )
    .addHelpText('after', '\nWith --proxy: without root, behind a proxy; see --proxy --help.')
    .parse([...args], { from: 'user' })
    .opts<Flags>();
}

async function runAll(
  flags: Flags,
  network: NamespaceNetwork,
  start: (profile: 'lan' | 'fast', walkers: number, pauseMs: number) => NamespaceCluster,
  isCancelled: () => boolean,
): Promise<number> {
  const { daemons, transport, seed, minutes, rounds } = flags;
  console.log(
    `${daemons} daemons, ${transport}, seed ${seed}; loss and delay by ${network.impairment ?? 'nothing: left out'}`,
  );
  let violations = 0;
  if (minutes > 0) {
    const cluster = start('lan', 3, flags.pause);
    await cluster.up();
    for (const station of cluster.stations) station.startLoad();
    const told = (line: string): void => {
      if (flags.quiet !== true) console.log(`  ${line}`);
    };
    const random = randomFor(seed, 'faults');
    const counts = await injectFaults(cluster, random, minutes * 60_000, told, isCancelled);
    await settle(cluster.stations);
    cluster.noteFailures();
    violations += report(`${minutes} minutes of faults`, cluster.run, counts);
    await cluster.remove();
  }
  const measured: [profile: 'lan' | 'fast', times: Measurements][] = [];
  for (const profile of rounds > 0 ? (['lan', 'fast'] as const) : []) {
    const cluster = start(profile, 1, CALM_PAUSE_MS);
    await cluster.up();
    for (const station of cluster.stations) station.startLoad();
    await delay(WARM_UP_MS);
    measured.push([profile, await measureViews(cluster, rounds)]);
    await settle(cluster.stations);
    cluster.noteFailures();
    violations += report(`measurements, profile ${profile}`, cluster.run, null);
    await cluster.remove();
  }
  if (measured.length > 0) printTimes(measured);
  console.log(violations === 0 ? '\nno violation' : `\n${violations} properties violated`);
  return violations === 0 ? 0 : 1;
}

function printTimes(measured: readonly (readonly [profile: 'lan' | 'fast', times: Measurements])[]): void {
  console.log('\nfrom the fault to the new view at every client, in milliseconds');
  console.log('  profile  change       median      max    limit');
  for (const [profile, times] of measured)
    for (const kind of MEASURED) {
      const sorted = [...times[kind]].sort((a, b) => a - b);
      const median = sorted[sorted.length >> 1] ?? Number.NaN;
      const max = sorted.at(-1) ?? Number.NaN;
      const limit = LIMITS[profile][kind];
      const cell = (value: number): string => value.toFixed(0).padStart(8);
      const verdict = max > limit ? '  over' : '';
      console.log(`  ${profile.padEnd(8)} ${kind.padEnd(12)}${cell(median)} ${cell(max)} ${cell(limit)}${verdict}`);
    }
}
