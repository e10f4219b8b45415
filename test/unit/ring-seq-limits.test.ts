/** No clock and no number of another daemon drives a cluster to the end of its numbers, or isolates a daemon silently. */
import { describe, expect, it } from 'vitest';
import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import {
  clockFloor,
  highestAccepted,
  isNearEnd,
  MAX_CLOCK_SEQ,
  MAX_RING_SEQ,
} from '../../engine/ring/ring-seq-limits.ts';
import { Cluster } from './ring-cluster.ts';

describe('the floor of the clock', () => {
  it.each([
    [Number.NaN, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.POSITIVE_INFINITY, 0],
    [-5, 0],
    [0, 0],
    [0.5, 0],
    [1_795_000_000.9, 1_795_000_000],
    [MAX_CLOCK_SEQ, MAX_CLOCK_SEQ],
    [MAX_CLOCK_SEQ + 1, 0],
    [2 ** 32 + 5, 0],
    [8.64e12, 0],
  ])('of %d is %d', (seconds, expected) => expect(clockFloor(seconds)).toBe(expected));
});

it('numbers of others are accepted up to a reserve, and near the end only in small steps', () => {
  expect(highestAccepted(0)).toBe(MAX_RING_SEQ - 2 ** 24);
  expect(highestAccepted(MAX_RING_SEQ - 2 ** 24)).toBe(MAX_RING_SEQ - 2 ** 24 + 2 ** 17);
  expect(highestAccepted(MAX_RING_SEQ)).toBe(MAX_RING_SEQ);
  expect(highestAccepted(2 ** 32)).toBe(MAX_RING_SEQ);
  expect([isNearEnd(1_795_000_000), isNearEnd(MAX_RING_SEQ)]).toEqual([false, true]);
});

const members = (cluster: Cluster): readonly number[] =>
  cluster.nodes.map(({ node }) => node.counters[RingCounter.Members]!);

describe('daemons of which one', () => {
  it.each([
    ['comes with the last number but one', MAX_RING_SEQ - 1],
    ['comes with a number past the end', MAX_RING_SEQ + 5],
  ])('%s go on without it, and count why', (_, ringSeqFloor) => {
    const cluster = new Cluster({ size: 3, ringSeqFloor: [0, 0, ringSeqFloor] });
    cluster.start();
    cluster.run(6000);
    expect(members(cluster).slice(0, 2)).toEqual([2, 2]);
    const refused = cluster.nodes[0]!.node.counters[RingCounter.NumbersRefused]!;
    expect(refused).toBeGreaterThan(0);
    expect(cluster.nodes[0]!.node.counters[RingCounter.NumbersRefusedFrom]).toBe(2);
    expect(cluster.nodes[0]!.node.counters[RingCounter.RingSeq]).toBeLessThan(MAX_CLOCK_SEQ);
  });

  it('has a number far ahead form one ring above it', () => {
    const cluster = new Cluster({ size: 3, ringSeqFloor: [0, 0, 4_000_000_000] });
    cluster.start();
    cluster.run(6000);
    expect(members(cluster)).toEqual([3, 3, 3]);
    expect(cluster.nodes[0]!.node.counters[RingCounter.State]).toBe(RingState.Operational);
    expect(cluster.nodes[0]!.node.counters[RingCounter.RingSeq]).toBeGreaterThan(4_000_000_000);
  });
});

it.each([-1e9, 0, 1_795_000_000, MAX_CLOCK_SEQ + 5, 2 ** 32 + 7, 1e11])(
  'a daemon whose wall clock is at %d is a member like any other',
  (wallSeconds) => {
    const cluster = new Cluster({ size: 3, wallSecondsOf: [1_795_000_000, wallSeconds, 1_795_000_000] });
    cluster.start();
    cluster.run(6000);
    expect(members(cluster)).toEqual([3, 3, 3]);
    expect(cluster.nodes[0]!.node.counters[RingCounter.RingSeq]).toBeLessThan(MAX_RING_SEQ - 2 ** 24);
  },
);
