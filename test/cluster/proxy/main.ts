/** `npm run cluster -- --proxy`: real daemons behind a proxy, through its scenarios in a random order; see docs/clusters.md. */
import { Command } from 'commander';
import { numberBetween } from '../arguments.ts';
import { report } from '../report.ts';
import { settle } from '../settle.ts';
import { ProxiedCluster } from './proxied-cluster.ts';
import { REAL_SCENARIOS } from './scenarios.ts';
import type { Impairment } from './udp-proxy.ts';

const MOST_DAEMONS = 9;
const WALKERS = 3;

interface Flags {
  readonly daemons: number;
  readonly minutes: number;
  readonly seed: number;
  readonly pause: number;
  readonly loss: number;
  readonly delayMs: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly quiet?: true;
}

/** @returns the exit code: 1 when a property is violated or a daemon ended unexpectedly */
export async function main(root: string, args: readonly string[]): Promise<number> {
  const flags = parse(args);
  const { daemons, seed, pause: pauseMs, delayMs } = flags;
  const impairment: Impairment = {
    loss: flags.loss / 100,
    delayMs,
    duplicate: flags.duplicate / 100,
    reorder: flags.reorder / 100,
  };
  const cluster = await ProxiedCluster.create({ root, daemons, seed, walkers: WALKERS, pauseMs });
  let isCancelled = false;
  const cancelled = new Promise<'cancelled'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        isCancelled = true;
        resolve('cancelled');
      });
  });
  try {
    const work = runAll(cluster, flags, impairment, () => isCancelled);
    work.catch(() => {});
    const result = await Promise.race([work, cancelled]);
    if (result !== 'cancelled') return result;
    console.error('interrupted');
    return 130;
  } finally {
    await cluster.remove();
  }
}

async function runAll(
  cluster: ProxiedCluster,
  { daemons, seed, minutes, quiet }: Flags,
  impairment: Impairment,
  isCancelled: () => boolean,
): Promise<number> {
  console.log(`${daemons} daemons behind a proxy, seed ${seed}, always ${JSON.stringify(impairment)}`);
  const { proxy, random, stations, run } = cluster;
  const endMs = performance.now() + minutes * 60_000;
  proxy.impairment = impairment;
  await cluster.up();
  const counts: Record<string, number> = Object.fromEntries(REAL_SCENARIOS.map(({ name }) => [name, 0]));
  while (performance.now() < endMs && !isCancelled()) {
    const scenario = random.pick(REAL_SCENARIOS);
    const startMs = performance.now();
    await scenario.run(cluster);
    counts[scenario.name]!++;
    if (quiet !== true) console.log(`  ${scenario.name}: ${(performance.now() - startMs).toFixed(0)} ms`);
  }
  await settle(stations);
  cluster.noteFailures();
  const violations = report(`${minutes} minutes behind the proxy`, run, counts);
  const datagrams = Object.entries(proxy.counts).map(([what, count]) => `${what} ${count}`);
  console.log(`  datagrams   ${datagrams.join(', ')}`);
  return violations === 0 ? 0 : 1;
}

function parse(args: readonly string[]): Flags {
  return new Command('cluster --proxy')
    .description('Runs daemons on loopback behind a proxy that drops, delays, duplicates and reorders their datagrams.')
    .option('--daemons <n>', 'how many', numberBetween(2, MOST_DAEMONS, true), 3)
    .option('--minutes <m>', 'how long scenarios run, one after the other', numberBetween(0, 24 * 60, false), 2)
    .option('--seed <s>', 'of the faults and the clients', numberBetween(0, 2 ** 32, true), 1)
    .option('--pause <ms>', 'mean pause between two actions of a client', numberBetween(1, 10_000, false), 10)
    .option('--loss <percent>', 'datagrams lost, at all times', numberBetween(0, 90, false), 0)
    .option(
      '--delay-ms <ms>',
      'delay of every datagram, and up to half as much again',
      numberBetween(0, 1_000, false),
      0,
    )
    .option('--duplicate <percent>', 'datagrams duplicated', numberBetween(0, 100, false), 0)
    .option('--reorder <percent>', 'datagrams reordered', numberBetween(0, 100, false), 0)
    .option('--quiet', 'do not print each scenario')
    .parse([...args], { from: 'user' })
    .opts<Flags>();
}
