/** Random faults on running daemons: kills, pauses, cut links, loss and delay; at most one at a time for each daemon. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../simulation/core/random.ts';
import type { NamespaceCluster } from './namespace-cluster.ts';

export const FAULTS = ['kill', 'stop', 'pause', 'cut', 'loss'] as const;
export type Fault = (typeof FAULTS)[number];

const SHORTEST_MS = 100;
const LONGEST_MS = 5000;
const BETWEEN_MS = 1500;
const MOST_LOSS_PERCENT = 30;
const MOST_DELAY_MS = 20;

export type FaultCounts = Record<Fault, number>;

/** Resolves when the time is up and every fault is undone. */
export async function injectFaults(
  cluster: NamespaceCluster,
  random: Random,
  durationMs: number,
  told: (line: string) => void,
  isCancelled: () => boolean,
): Promise<FaultCounts> {
  const counts: FaultCounts = { kill: 0, stop: 0, pause: 0, cut: 0, loss: 0 };
  const busy = new Set<number>();
  const running = new Set<Promise<void>>();
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs && !isCancelled()) {
    await delay(random.exponential(BETWEEN_MS));
    const free = cluster.stations.map((_, i) => i).filter((i) => !busy.has(i));
    if (free.length === 0) continue;
    const fault = random.pick(FAULTS);
    const victim = random.pick(free);
    const lastsMs = random.logarithmic(SHORTEST_MS, LONGEST_MS);
    busy.add(victim);
    counts[fault]++;
    told(`${fault} d${victim + 1} for ${Math.round(lastsMs)} ms`);
    const done = inflict(cluster, victim, fault, lastsMs, random.fork())
      .catch((error: Error) => {
        cluster.run.failures.push(`${fault} of d${victim + 1}: ${error.message}`);
      })
      .finally(() => {
        busy.delete(victim);
        running.delete(done);
      });
    running.add(done);
  }
  await Promise.all(running);
  return counts;
}

async function inflict(
  { stations, network }: NamespaceCluster,
  victim: number,
  fault: Fault,
  lastsMs: number,
  random: Random,
): Promise<void> {
  const station = stations[victim]!;
  switch (fault) {
    case 'kill':
    case 'stop':
      await station[fault]();
      await delay(lastsMs);
      await station.up();
      return;
    case 'pause':
      station.pause();
      await delay(lastsMs);
      station.resume();
      return;
    case 'cut':
      network.cut(victim);
      await delay(lastsMs);
      network.heal(victim);
      return;
    case 'loss':
      network.impair(victim, random.integer(1, MOST_LOSS_PERCENT), random.integer(1, MOST_DELAY_MS));
      await delay(lastsMs);
      network.repair(victim);
  }
}
