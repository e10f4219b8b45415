/** Which of two incarnations of one daemon is accepted. */
import { describe, expect, it } from 'vitest';
import { NodeContext } from '../../engine/host/node-context.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import type { RingHost } from '../../engine/host/ring-host.ts';
import { Incarnations } from '../../engine/membership/incarnations.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { LAN, WINDOWS } from './ring-cluster.ts';

const OTHER = nodeIndex(1);

function fresh() {
  const context = new NodeContext(
    {
      self: nodeIndex(0),
      incarnation: incarnation(1),
      segmentOf: [0, 0],
      clusterHash: new Uint8Array(16),
      windows: WINDOWS,
      timeouts: LAN,
      datagramBytes: 1400,
      randomSeed: 1,
    },
    {} as RingHost,
  );
  const conflicts = (): number => context.counters[RingCounter.IdentityConflicts]!;
  return { context, conflicts, incarnations: new Incarnations(context) };
}

describe('two incarnations of one daemon', () => {
  it('are a restart when the earlier one falls silent', () => {
    const { context, conflicts, incarnations } = fresh();
    incarnations.learn(OTHER, 5);
    incarnations.learn(OTHER, 6);
    context.nowMs = 500;
    expect(incarnations.isStale(OTHER, 5)).toBe(true);
    incarnations.staleHeard(OTHER);
    expect(conflicts()).toBe(0);
  });

  it('are a conflict when both continue, counted each time they alternate', () => {
    const { context, conflicts, incarnations } = fresh();
    incarnations.learn(OTHER, 6);
    context.nowMs = 5000;
    incarnations.staleHeard(OTHER);
    incarnations.staleHeard(OTHER);
    expect(conflicts()).toBe(1);
    incarnations.learn(OTHER, 6);
    incarnations.staleHeard(OTHER);
    expect(conflicts()).toBe(2);
  });

  it('exclude the earlier one until the later has been silent for long', () => {
    const { context, incarnations } = fresh();
    incarnations.learn(OTHER, 6);
    context.nowMs = 29_000;
    expect(incarnations.isStale(OTHER, 5)).toBe(true);
    context.nowMs = 31_000;
    expect(incarnations.isStale(OTHER, 5)).toBe(false);
    incarnations.learn(OTHER, 5);
    expect(incarnations.isStale(OTHER, 5)).toBe(false);
    expect(incarnations.isStale(OTHER, 4)).toBe(true);
    expect(incarnations.isStale(OTHER, 6)).toBe(false);
  });

  it('exclude the earlier one while the later is a member, and shortly after it vanished', () => {
    const { context, incarnations } = fresh();
    incarnations.learn(OTHER, 6);
    incarnations.installed([{ node: OTHER, incarnation: incarnation(6) }]);
    context.nowMs = 3_600_000;
    expect(incarnations.isStale(OTHER, 5)).toBe(true);
    expect(incarnations.waitMs(OTHER)).toBe(Number.POSITIVE_INFINITY);
    incarnations.installed([]);
    expect(incarnations.waitMs(OTHER)).toBe(4 * LAN.tokenLossMs);
    context.nowMs += 4 * LAN.tokenLossMs - 1;
    expect(incarnations.isStale(OTHER, 5)).toBe(true);
    context.nowMs += 1;
    expect(incarnations.isStale(OTHER, 5)).toBe(false);
  });

  it('exclude the earlier one for long when the later was a member, left the ring, and is heard outside', () => {
    const { context, incarnations } = fresh();
    incarnations.learn(OTHER, 6);
    incarnations.installed([{ node: OTHER, incarnation: incarnation(6) }]);
    incarnations.installed([]);
    context.nowMs = 1000;
    incarnations.learn(OTHER, 6);
    context.nowMs += 29_000;
    expect(incarnations.isStale(OTHER, 5)).toBe(true);
    context.nowMs += 2000;
    expect(incarnations.isStale(OTHER, 5)).toBe(false);
  });

  it('let the successor of one that left in order in after the same short time', () => {
    const { context, incarnations } = fresh();
    incarnations.learn(OTHER, 6);
    incarnations.installed([{ node: OTHER, incarnation: incarnation(6) }]);
    incarnations.retire(OTHER, incarnation(6));
    incarnations.installed([]);
    expect(incarnations.isStale(OTHER, 6)).toBe(true);
    context.nowMs = 4 * LAN.tokenLossMs;
    expect(incarnations.isStale(OTHER, 5)).toBe(false);
  });

  it('are a conflict for the daemon itself, unless it was started a moment ago', () => {
    const { context, conflicts, incarnations } = fresh();
    incarnations.ownIdHeard();
    expect(conflicts()).toBe(0);
    context.nowMs = 5000;
    incarnations.ownIdHeard();
    expect(conflicts()).toBe(1);
  });
});
