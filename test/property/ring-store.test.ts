import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockOf, fillIn, type Holdings, isSound, mergeBlock } from '../../engine/membership/commit.ts';
import { PacketClass } from '../../engine/ring/packet-class.ts';
import { isHole } from '../../engine/ring/packet-delivery.ts';
import { PacketStore, storeSize } from '../../engine/ring/packet-store.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import type { CommitMessage } from '../../engine/wire/ring-membership.ts';

const RECORD = Uint8Array.from({ length: 16 }, (_, i) => i);
const put = (store: PacketStore, seq: number): void =>
  store.put(seq, nodeIndex(seq % 5), PacketClass.Ordered, RECORD, 0, 8 + 8 * (seq % 2));

describe('packet store', () => {
  it('behaves like a set of numbers, anywhere in the sequence', () => {
    const starts = fc.constantFrom(0, 2 ** 31 - 20, 2 ** 32 - 20, 2 ** 40 - 20, 2 ** 48 - 500);
    fc.assert(
      fc.property(starts, fc.array(fc.nat(90), { maxLength: 200 }), fc.nat(90), (start, arrivals, stable) => {
        const store = new PacketStore(64, 16);
        Object.assign(store, { discarded: start, delivered: start, stable: start, myAru: start, highSeq: start });
        const held = new Set<number>();
        for (const arrival of arrivals) {
          const seq = start + 1 + arrival;
          expect(store.covers(seq)).toBe(arrival < 64);
          expect(store.has(seq)).toBe(held.has(seq));
          if (arrival >= 64 || held.has(seq)) continue;
          put(store, seq);
          held.add(seq);
        }
        let aru = start;
        while (held.has(aru + 1)) aru++;
        expect(store.myAru).toBe(aru);
        expect(store.highSeq).toBe(Math.max(start, ...held));
        expect(store.held).toBe(held.size);
        for (const seq of held) {
          expect(store.originOf(seq)).toBe(seq % 5);
          expect(store.lengthOf(seq)).toBe(8 + 8 * (seq % 2));
        }
        store.stable = Math.min(aru, start + stable);
        store.delivered = aru;
        store.discard();
        expect(store.discarded).toBe(store.stable);
        expect(store.held).toBe([...held].filter((seq) => seq > store.stable).length);
      }),
    );
  });

  it.each([
    [160, 1344],
    [1, 1344],
    [160, 60_000],
    [1000, 8840],
  ])('has room for the gap and what is under way with window %d and slots of %d bytes', (window, slotBytes) => {
    const { capacity, gap } = storeSize(window, slotBytes);
    expect(Math.log2(capacity) % 1).toBe(0);
    expect(gap).toBeGreaterThanOrEqual(window);
    expect(gap + 3 * window).toBeLessThanOrEqual(capacity);
    expect(capacity * slotBytes).toBeLessThanOrEqual(Math.max(160 << 20, 12 * window * slotBytes));
  });
});

describe('recovery blocks', () => {
  interface Member {
    readonly stable: number;
    readonly extra: readonly number[];
    readonly known: number;
  }
  const OLD_RING = { seq: 7, leader: nodeIndex(0), leaderIncarnation: incarnation(1) };
  const NEW_RING = { ...OLD_RING, seq: 8 };
  /** What all hold up to here; members differ above. */
  const COMMON = 20;
  const member: fc.Arbitrary<Member> = fc.record({
    stable: fc.integer({ min: 5, max: COMMON }),
    extra: fc.uniqueArray(fc.integer({ min: COMMON + 1, max: 60 })),
    known: fc.integer({ min: COMMON, max: 60 }),
  });
  const membersOf = fc.array(member, { minLength: 1, maxLength: 5 });

  function holdings(node: number, { stable, extra, known }: Member): Holdings {
    const held = new Set(extra);
    const has = (seq: number): boolean => seq <= COMMON || held.has(seq);
    let aru = COMMON;
    while (has(aru + 1)) aru++;
    const obligations = new Set([nodeIndex(node), nodeIndex(9)]);
    return { oldRing: OLD_RING, stable, high: Math.max(known, ...extra), aru, reach: 1000, has, obligations };
  }

  it('describe what all members together hold, in any order of visits', () => {
    fc.assert(
      fc.property(membersOf, fc.boolean(), (members, reversed) => {
        const list = members.map((m, node) => ({ node: nodeIndex(node), own: holdings(node, m) }));
        const visits = reversed ? [...list].reverse() : list;
        const block = blockOf(visits[0]!.node, visits[0]!.own);
        for (const { node, own } of visits.slice(1)) mergeBlock(block, blockOf(node, own));
        expect(block.stable).toBe(Math.max(...list.map(({ own }) => own.stable)));
        expect(block.high).toBe(Math.max(...list.map(({ own }) => own.high)));
        for (let seq = block.stable + 1; seq <= block.high + 2; seq++) {
          const isHeld = seq <= block.high && list.some(({ own }) => own.has(seq));
          expect(isHole(block, seq)).toBe(!isHeld);
        }
        expect([...block.obliged].sort()).toEqual([...list.map(({ node }) => node), 9]);
        for (const { own } of list) expect(isSound(block, own)).toBe(true);
      }),
    );
  });

  it('are kept apart by old ring, and refused when they contradict what a member knows', () => {
    const commit: CommitMessage = {
      ring: NEW_RING,
      pass: 1,
      members: [0, 1, 2].map((node) => ({
        node: nodeIndex(node),
        incarnation: incarnation(1),
        attempt: 1,
        block: -1,
      })),
      blocks: [],
    };
    const own = holdings(0, { stable: 10, extra: [22], known: 22 });
    expect(fillIn(commit, nodeIndex(0), own, 100)).toBe(true);
    expect(fillIn(commit, nodeIndex(1), { ...own, oldRing: NEW_RING }, 100)).toBe(true);
    expect(commit.members.map(({ block }) => block)).toEqual([0, 1, -1]);
    expect(fillIn(commit, nodeIndex(3), own, 100)).toBe(false);
    commit.blocks[0]!.stable = 30;
    commit.blocks[0]!.high = 30;
    commit.blocks[0]!.missing = new Uint8Array(0);
    expect(fillIn(commit, nodeIndex(2), own, 100)).toBe(false);
    expect(fillIn(commit, nodeIndex(2), { ...own, oldRing: NEW_RING }, 5)).toBe(false);
  });
});
