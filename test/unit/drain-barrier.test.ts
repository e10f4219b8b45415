/** Daemons of a ring that stop at the same time wait for each other, decided at the same place of one order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../engine/host/configuration.ts';
import { DrainBarrier } from '../../engine/ring/drain-barrier.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { DrainStage } from '../../engine/wire/record.ts';

const { Draining, Taken, Empty } = DrainStage;

function configuration(incarnations: Readonly<Record<number, number>>, kind: 'regular' | 'transitional' = 'regular') {
  const members = Object.entries(incarnations).map(([node, run]) => ({
    node: nodeIndex(Number(node)),
    incarnation: incarnation(run),
  }));
  return {
    id: { kind, ringSeq: 1, leader: nodeIndex(0), leaderIncarnation: incarnation(1) },
    members,
  } as Configuration;
}

/** Daemons over one order; each processes the announcements when it delivers them. */
class Order {
  readonly #announced: { readonly origin: number; readonly stage: DrainStage }[] = [];
  readonly barriers: DrainBarrier[] = [];
  readonly #delivered: number[] = [];
  settled = true;

  constructor(count: number) {
    for (let node = 0; node < count; node++) {
      this.#delivered.push(0);
      this.barriers.push(
        new DrainBarrier(nodeIndex(node), count, {
          announce: (stage) => this.#announced.push({ origin: node, stage }),
          isSettled: () => this.settled,
        }),
      );
    }
    this.change(Object.fromEntries(this.barriers.map((_, node) => [node, 1])));
  }

  deliver(node: number, most = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < most && this.#delivered[node]! < this.#announced.length; i++) {
      const { origin, stage } = this.#announced[this.#delivered[node]!++]!;
      this.barriers[node]!.delivered(nodeIndex(origin), stage);
    }
  }

  deliverAll(): void {
    for (const node of this.barriers.keys()) this.deliver(node);
  }

  change(incarnations: Readonly<Record<number, number>>): void {
    for (const node of Object.keys(incarnations))
      this.barriers[Number(node)]!.configurationChanged(configuration(incarnations));
  }

  get announcements(): number {
    return this.#announced.length;
  }
}

describe('a daemon that stops', () => {
  it('waits for no other when none stops, once its own announcement is delivered and everything is settled', () => {
    const order = new Order(3);
    const [a] = order.barriers as [DrainBarrier];
    a.reach(Draining);
    a.reach(Taken);
    expect(a.checkMet()).toBe(false);
    order.settled = false;
    order.deliverAll();
    expect(a.checkMet()).toBe(false);
    order.settled = true;
    expect(a.checkMet()).toBe(true);
  });

  it.each([Taken, Empty])('waits for another daemon that stops, at stage %i', (stage) => {
    const order = new Order(3);
    const [a, b] = order.barriers as [DrainBarrier, DrainBarrier];
    b.reach(Draining);
    a.reach(stage);
    order.deliverAll();
    expect(a.checkMet()).toBe(false);
    expect(a.awaited).toEqual([1]);
    b.reach(stage);
    order.deliverAll();
    expect([a.checkMet(), b.checkMet()]).toEqual([true, true]);
    expect(a.awaited).toEqual([]);
  });

  it('stops waiting for a daemon that left the ring or was restarted', () => {
    for (const next of [
      { 0: 1, 2: 1 },
      { 0: 1, 1: 2, 2: 1 },
    ] as const) {
      const order = new Order(3);
      const [a, b] = order.barriers as [DrainBarrier, DrainBarrier];
      b.reach(Draining);
      a.reach(Taken);
      order.deliverAll();
      expect(a.checkMet()).toBe(false);
      order.change(next);
      expect(a.checkMet()).toBe(true);
    }
  });

  it('is not held up by a transitional configuration, and announces its stage again in a new ring', () => {
    const order = new Order(2);
    const [a] = order.barriers as [DrainBarrier];
    a.configurationChanged(configuration({ 0: 1, 1: 1 }));
    expect(order.announcements).toBe(0);
    a.reach(Taken);
    a.configurationChanged(configuration({ 0: 1 }, 'transitional'));
    expect(order.announcements).toBe(1);
    a.configurationChanged(configuration({ 0: 1 }));
    expect(order.announcements).toBe(2);
  });

  it('never goes back to an earlier stage, whatever happens to the ring', () => {
    const order = new Order(2);
    const [a] = order.barriers as [DrainBarrier];
    a.reach(Empty);
    order.deliverAll();
    expect(a.checkMet()).toBe(true);
    order.settled = false;
    expect(a.checkMet()).toBe(true);
  });

  it('never proceeds while a delivered announcement is behind its stage, and all finish in the end', () => {
    const step = fc.record({
      node: fc.integer({ min: 0, max: 3 }),
      does: fc.constantFrom('begin' as const, 'taken' as const, 'empty' as const, 'deliver' as const),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const order = new Order(4);
        const reached = [0, 0, 0, 0];
        const met = [0, 0, 0, 0];
        for (const { node, does } of steps) {
          const barrier = order.barriers[node]!;
          if (does === 'deliver') {
            order.deliver(node);
            // It knows every announcement so far, and never goes back to an earlier stage.
            if (!barrier.checkMet() || met[node] === reached[node]) continue;
            met[node] = reached[node]!;
            for (const other of reached) expect(other === 0 || other >= reached[node]!).toBe(true);
          } else {
            const stage = { begin: Draining, taken: Taken, empty: Empty }[does];
            if (reached[node]! > 0 || stage === Draining) {
              barrier.reach(stage);
              reached[node] = Math.max(reached[node]!, stage);
            }
          }
        }
        for (const [node, stage] of reached.entries()) if (stage > 0) order.barriers[node]!.reach(Empty);
        order.deliverAll();
        for (const [node, stage] of reached.entries())
          if (stage > 0) expect(order.barriers[node]!.checkMet()).toBe(true);
      }),
    );
  });
});
