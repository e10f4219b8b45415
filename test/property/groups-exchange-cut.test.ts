import { describe, expect, it } from 'vitest';
import { Cluster } from './groups-cluster.ts';

/** Colours of five daemons; equal colours meet. */
const SPLITS: readonly (readonly number[])[] = [
  [0, 0, 1, 1, 1],
  [0, 1, 0, 1, 1],
  [0, 1, 1, 1, 0],
  [0, 1, 2, 3, 4],
  [0, 0, 0, 0, 1],
];
const EVERYBODY = Number.MAX_SAFE_INTEGER;
const NOBODY: ReadonlySet<number> = new Set();
const ALL = [0, 1, 2, 3, 4];

/** Two components with clients in common groups, about to exchange their tables in many small parts. */
function aboutToMerge(): Cluster {
  const cluster = new Cluster(5, 60);
  cluster.drain();
  cluster.reconfigure([0, 0, 1, 1, 1], 0, NOBODY);
  for (const node of ALL) {
    for (const group of [0, 1, 2]) cluster.act(node, 0, 0, group);
    for (const which of [0, 1, 2]) cluster.act(node, 5, which, which + node);
  }
  cluster.drain();
  cluster.reconfigure([0], 0, NOBODY);
  for (const node of ALL) cluster.originate(node);
  return cluster;
}

const partCount = aboutToMerge().undelivered;

describe('state exchange that is cut', () => {
  it('is long enough to be worth cutting', () => {
    expect(partCount).toBeGreaterThan(10);
  });

  it.each(SPLITS.map((colours) => [colours] as const))('at every part, by the split %j', (colours) => {
    for (let delivered = 0; delivered <= partCount; delivered++) {
      for (let recovered = 0; recovered <= 48; recovered += 16) {
        const cluster = aboutToMerge();
        for (const node of ALL) cluster.advance(node, delivered);
        cluster.reconfigure(colours, recovered, NOBODY);
        cluster.settle();
      }
    }
  });

  it('at every part, with daemons at different places of the order', () => {
    for (let delivered = 0; delivered <= partCount; delivered++) {
      const cluster = aboutToMerge();
      for (const node of ALL) cluster.advance(node, (delivered * (node + 1)) % (partCount + 1));
      cluster.reconfigure(SPLITS[delivered % 3]!, delivered, NOBODY);
      cluster.settle();
    }
  });

  it('by the crash of a representative', () => {
    for (let delivered = 0; delivered <= partCount; delivered++) {
      for (const node of [0, 2]) {
        const cluster = aboutToMerge();
        for (const each of ALL) cluster.advance(each, delivered);
        cluster.restart(node);
        cluster.settle();
      }
    }
  });

  it('again and again, five levels deep', () => {
    for (let delivered = 0; delivered <= partCount; delivered++) {
      const cluster = aboutToMerge();
      for (let depth = 0; depth < 5; depth++) {
        for (const node of ALL) cluster.advance(node, (delivered + depth * 7) % (partCount + 1));
        const missing = depth === 3 ? new Set([delivered % 5]) : NOBODY;
        cluster.reconfigure(SPLITS[(delivered + depth) % SPLITS.length]!, delivered * (depth + 1), missing);
        for (const node of ALL) cluster.originate(node);
        for (const node of ALL) cluster.advance(node, depth % 2 === 0 ? EVERYBODY : delivered % 5);
        cluster.reconfigure([0], delivered + depth, NOBODY);
        for (const node of ALL) cluster.originate(node);
      }
      cluster.settle();
    }
  });
});
