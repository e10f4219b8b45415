/** State exchanges with daemons whose tables are refused, or that send before their turn; some exchanges are cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { nodeIndex } from '../../engine/wire/ids.ts';
import { Daemons, disconnectRecord, groupsRecord, joinRecord } from '../unit/groups-fixtures.ts';

const MAX_DAEMONS = 6;

interface Plan {
  readonly setOf: readonly number[];
  readonly isFaulty: readonly boolean[];
  readonly isHasty: readonly boolean[];
  readonly fault: number;
  readonly schedule: readonly number[];
  /** Bodies delivered before the exchange is cut, and who stays together then; null: it is not cut. */
  readonly cut: { readonly after: number; readonly componentOf: readonly number[] } | null;
}

const perDaemon = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(value, { minLength: MAX_DAEMONS, maxLength: MAX_DAEMONS });

const plans = (isCut: boolean): fc.Arbitrary<Plan> =>
  fc.record({
    setOf: fc
      .integer({ min: 2, max: MAX_DAEMONS })
      .chain((count) => fc.array(fc.nat(2), { minLength: count, maxLength: count })),
    isFaulty: perDaemon(fc.boolean()),
    isHasty: perDaemon(fc.boolean()),
    fault: fc.nat(4),
    schedule: fc.array(fc.nat(97), { minLength: 1, maxLength: 20 }),
    cut: isCut ? fc.record({ after: fc.nat(8), componentOf: perDaemon(fc.nat(2)) }) : fc.constant(null),
  });

function spoil(body: Uint8Array, fault: number): Uint8Array {
  const spoilt = body.slice();
  const view = new DataView(spoilt.buffer);
  if (fault === 0) return spoilt.slice(0, -1);
  if (fault === 1) view.setUint32(16, 0, true);
  else if (fault === 2) view.setUint32(12, 5, true);
  else if (fault === 3) view.setUint16(28, 0, true);
  else view.setUint16(30, 60_000, true);
  return spoilt;
}

const components = (nodes: readonly number[], componentOf: readonly number[]): number[][] =>
  [0, 1, 2].map((of) => nodes.filter((node) => componentOf[node] === of)).filter((part) => part.length > 0);

class World {
  readonly nodes: readonly number[];
  readonly daemons: Daemons;
  readonly #plan: Plan;
  readonly #leftOut = new Set<number>();
  #ringSeq = 100;
  #step = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.nodes = plan.setOf.map((_, node) => node);
    const sessions = this.nodes.flatMap((node) => [2 * node + 1, 100 + node]);
    this.daemons = new Daemons(this.nodes.length, sessions);
    for (const node of this.nodes) this.daemons.configure('regular', this.#ringSeq++, [node]);
    this.regroup(
      [...this.nodes].map((node) => [node]),
      plan.setOf,
    );
    for (const set of components(this.nodes, plan.setOf)) {
      this.daemons.exchange(set);
      for (const node of set)
        for (const group of ['all', `set${plan.setOf[node]}`, `own${node}`])
          this.daemons.deliver(set, joinRecord(node, 2 * node + 1, group, `#c${node}#d${node}`));
    }
  }

  /** The components of `from` that get the same number in `to` meet. */
  regroup(from: readonly (readonly number[])[], to: readonly number[]): void {
    for (const part of from)
      for (const together of components(part, to)) this.daemons.configure('transitional', this.#ringSeq++, together);
    for (const next of components(this.nodes, to)) this.daemons.configure('regular', this.#ringSeq++, next);
  }

  /** Delivers bodies of `members` in the order of the plan, at most `limit` of them. */
  exchange(members: readonly number[], limit: number): void {
    const { isHasty, isFaulty, fault, schedule } = this.#plan;
    const { layers, outputs } = this.daemons;
    for (const node of members)
      if (isHasty[node] === true && layers[node]!.gathering) layers[node]!.speakFor([nodeIndex(node)]);
    for (let left = limit; left > 0; left--) {
      const waiting = members.filter((node) => outputs[node]!.bodies.length > 0);
      if (waiting.length === 0) return;
      const node = waiting[schedule[this.#step++ % schedule.length]! % waiting.length]!;
      const body = outputs[node]!.bodies.shift()!;
      const record = groupsRecord(node, isFaulty[node] === true ? spoil(body, fault) : body);
      this.daemons.deliver(members, record);
    }
  }

  /** Checks that hold once all daemons have met. */
  check(): void {
    const { layers, outputs } = this.daemons;
    for (const node of this.nodes) {
      expect(layers[node]!.state).toBe(GroupsState.Operational);
      expect(outputs[node]!.blocked).toBe(false);
      expect(layers[node]!.divergenceCount).toBe(0);
      for (const line of outputs[node]!.log)
        if (line.startsWith('left-out')) this.#leftOut.add(Number(line.split(' ')[1]));
    }
    expect(new Set(layers.map((layer) => layer.stateHash())).size).toBe(1);
    const staying = this.nodes.filter((node) => !this.#leftOut.has(node));
    expect(layers[0]!.memberNames('all')).toEqual(staying.map((node) => `#c${node}#d${node}`));
    for (const node of this.nodes)
      expect(outputs[node]!.sessionsIn('all')).toEqual(this.#leftOut.has(node) ? [] : [2 * node + 1]);
  }

  /** Only daemons that have no honest one beside them lose their clients. */
  checkWhoIsLeftOut(): void {
    for (const node of this.#leftOut)
      for (const [other, set] of this.#plan.setOf.entries())
        if (set === this.#plan.setOf[node]) expect(this.#plan.isFaulty[other] || this.#plan.isHasty[other]).toBe(true);
  }

  checkClientsGoOn(): void {
    for (const node of this.nodes) {
      this.daemons.deliver(this.nodes, joinRecord(node, 100 + node, 'all', `#new${node}#d${node}`));
      this.daemons.deliver(this.nodes, disconnectRecord(node, 2 * node + 1, `#c${node}#d${node}`));
    }
    const hashes = new Set(this.daemons.layers.map((layer) => layer.stateHash()));
    expect(hashes.size).toBe(1);
    expect(this.daemons.layers[0]!.memberNames('all')).toEqual(this.nodes.map((node) => `#new${node}#d${node}`));
  }
}

const EVERYTHING = Number.MAX_SAFE_INTEGER;
const TOGETHER = new Array<number>(MAX_DAEMONS).fill(0);

describe('state exchange with faulty daemons', () => {
  it('ends alike at all daemons, and only a daemon without an honest one in its part loses its clients', () => {
    fc.assert(
      fc.property(plans(false), (plan) => {
        const world = new World(plan);
        world.regroup(components(world.nodes, plan.setOf), TOGETHER);
        world.exchange(world.nodes, EVERYTHING);
        world.check();
        world.checkWhoIsLeftOut();
        world.checkClientsGoOn();
      }),
      { numRuns: 300 },
    );
  });

  it('that is cut leaves tables that can be exchanged again', () => {
    fc.assert(
      fc.property(plans(true), (plan) => {
        const world = new World(plan);
        const { after, componentOf } = plan.cut!;
        world.regroup(components(world.nodes, plan.setOf), TOGETHER);
        world.exchange(world.nodes, after);
        for (const { bodies } of world.daemons.outputs) bodies.length = 0;
        world.regroup([world.nodes], componentOf);
        for (const part of components(world.nodes, componentOf)) world.exchange(part, EVERYTHING);
        for (const layer of world.daemons.layers) expect(layer.state).toBe(GroupsState.Operational);
        world.regroup(components(world.nodes, componentOf), TOGETHER);
        world.exchange(world.nodes, EVERYTHING);
        world.check();
        world.checkClientsGoOn();
      }),
      { numRuns: 300 },
    );
  });
});
