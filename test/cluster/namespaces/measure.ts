/** Time from a fault to the new view at every client, for one profile of timers (ring-protocol.md, 3.9). */
import { setTimeout as delay } from 'node:timers/promises';
import { together } from '../settle.ts';
import type { Station } from '../station.ts';
import { WITNESS_GROUP } from '../trace-of-run.ts';
import type { NamespaceCluster } from './namespace-cluster.ts';

export const MEASURED = ['crash', 'polite stop', 'cut', 'merge'] as const;
export type Measured = (typeof MEASURED)[number];

/** Milliseconds of the last client, one value for each round. */
export type Measurements = Record<Measured, number[]>;

/** A ring that has just formed does not merge or split at once, so each round waits first. */
const REST_MS = 2500;
const WITHIN_MS = 30_000;

export async function measureViews(cluster: NamespaceCluster, rounds: number): Promise<Measurements> {
  const times: Measurements = { crash: [], 'polite stop': [], cut: [], merge: [] };
  const { stations, network } = cluster;
  for (let round = 0; round < rounds; round++) {
    const at = round % stations.length;
    const victim = stations[at]!;
    const others = stations.filter((station) => station !== victim);
    for (const [kind, end] of [
      ['crash', 'kill'],
      ['polite stop', 'stop'],
    ] as const) {
      await delay(REST_MS);
      times[kind].push(await lastView(others, others, async () => void victim[end]().catch(() => {})));
      await delay(REST_MS);
      await victim.up();
      await together(stations);
    }
    await delay(REST_MS);
    times.cut.push(
      await Promise.all([
        lastView(others, others, async () => network.cut(at)),
        lastView([victim], [victim], async () => {}),
      ]).then((both) => Math.max(...both)),
    );
    await delay(REST_MS);
    times.merge.push(await lastView(stations, stations, async () => network.heal(at)));
  }
  return times;
}

/** From the start of `fault` until every witness of `observers` has a view of exactly the witnesses of `expected`. */
async function lastView(
  observers: readonly Station[],
  expected: readonly Station[],
  fault: () => Promise<void>,
): Promise<number> {
  const names = expected
    .map((station) => station.witness!.name)
    .sort()
    .join();
  const startMs = performance.now();
  await fault();
  const arrivals = observers.map(async ({ witness }) => {
    await witness!.until(
      () => [...witness!.membersOf(WITNESS_GROUP)].sort().join() === names,
      `a view of ${names}`,
      WITHIN_MS,
    );
    const view = witness!.record.observations.findLast((e) => e.kind === 'view' && e.group === WITNESS_GROUP);
    return view!.atMs - startMs;
  });
  return Math.max(...(await Promise.all(arrivals)));
}

/**
 * Limits in milliseconds. For `lan`, those of ring-protocol.md 3.9 (a merge includes its mergeNotBefore). For `fast`, the same sums of its own
 * timers: token loss, gather and commit, or probe, gather, commit and mergeNotBefore; and 300 for the recovery, as in `lan`.
 */
export const LIMITS: Readonly<Record<'lan' | 'fast', Readonly<Record<Measured, number>>>> = {
  lan: { crash: 1500, 'polite stop': 300, cut: 1500, merge: 4000 },
  fast: { crash: 650, 'polite stop': 300, cut: 650, merge: 1000 },
};
