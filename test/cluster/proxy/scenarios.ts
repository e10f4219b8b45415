/**
 * Scenario 42 of ring-protocol.md 8.5: some of the simulator's scenarios on real sockets, in real time. Each begins and ends with all
 * daemons in one ring.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { together } from '../settle.ts';
import type { ProxiedCluster } from './proxied-cluster.ts';

export interface RealScenario {
  /** Number of the scenario in the specification that it follows. */
  readonly number: number;
  readonly name: string;
  run(cluster: ProxiedCluster): Promise<void>;
}

/** How long clients send before and after the fault. */
const LOAD_MS = 300;
const LOSSY_MS = 1_500;
const MOST_LOSS = 0.25;

/** The network is bad for all daemons. */
async function loss({ proxy, random }: ProxiedCluster): Promise<void> {
  const before = proxy.impairment;
  proxy.impairment = { ...before, loss: random.real(0.05, MOST_LOSS), duplicate: 0.1, reorder: 0.2 };
  await delay(LOSSY_MS);
  proxy.impairment = before;
}

/** A daemon is killed right after the token was sent to it, so the token is lost. */
async function crashHolder({ proxy, random, stations }: ProxiedCluster): Promise<void> {
  const node = random.integer(0, stations.length - 1);
  const victim = stations[node]!;
  await proxy.tokenFor(node);
  await victim.kill();
  await together(stations);
  await delay(LOAD_MS);
  await victim.up();
}

/** Two components continue separately, then merge. */
async function partition({ proxy, random, stations }: ProxiedCluster): Promise<void> {
  const alone = random.integer(0, stations.length - 1);
  proxy.partition(stations.map((_, node) => (node === alone ? 1 : 0)));
  await Promise.all([together(stations.filter((_, node) => node !== alone)), together([stations[alone]!])]);
  await delay(LOAD_MS);
  proxy.heal();
}

/** A daemon pauses, sometimes for longer than the others wait, and resumes with full sockets. */
async function pause({ random, stations }: ProxiedCluster): Promise<void> {
  const station = random.pick(stations);
  station.pause();
  await delay(random.logarithmic(50, 3_000));
  station.resume();
}

const SCENARIOS: readonly RealScenario[] = [
  { number: 2, name: 'loss', run: loss },
  { number: 8, name: 'crash-holder', run: crashHolder },
  { number: 13, name: 'partition', run: partition },
  { number: 20, name: 'pause', run: pause },
];

export const REAL_SCENARIOS: readonly RealScenario[] = SCENARIOS.map((scenario) => ({
  ...scenario,
  async run(cluster) {
    await delay(LOAD_MS);
    await scenario.run(cluster);
    await together(cluster.stations);
    await delay(LOAD_MS);
  },
}));
