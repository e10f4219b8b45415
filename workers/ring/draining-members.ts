/**
 * Which members of the ring drain: they ask their clients to move, or stop already. It is in the order, so all members know the same at the
 * same place; a daemon sends no client to one of them.
 */
import type { ControlWords } from '../../engine/buffers/control-words.ts';
import { MEMBER_BIT_SLOTS, OrderingCounter } from '../../engine/buffers/counters.ts';
import type { Configuration } from '../../engine/host/configuration.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';

export class DrainingMembers {
  readonly #words: Pick<ControlWords, 'tellServing'>;
  readonly #counters: Float64Array;
  /** Incarnation of each member of the present ring. */
  #members: ReadonlyMap<NodeIndex, number> = new Map();
  readonly #draining = new Set<NodeIndex>();

  /** @param counters block of the ring agent */
  constructor(words: Pick<ControlWords, 'tellServing'>, counters: Float64Array) {
    this.#words = words;
    this.#counters = counters;
  }

  /** A Drain record of `origin`, of any stage. */
  delivered(origin: NodeIndex): void {
    if (this.#draining.has(origin)) return;
    this.#draining.add(origin);
    this.#publish();
  }

  /** Who starts anew serves. Who was in another ring says in this one that it drains. */
  configurationChanged({ id, members }: Configuration): void {
    if (id.kind !== 'regular') return;
    const now = new Map(members.map(({ node, incarnation }) => [node, incarnation]));
    for (const node of this.#draining) if (now.get(node) !== this.#members.get(node)) this.#draining.delete(node);
    this.#members = now;
    this.#publish();
  }

  #publish(): void {
    const nodes = [...this.#members.keys()];
    this.#words.tellServing(nodes.filter((node) => !this.#draining.has(node)));
    const bits = new Uint32Array(MEMBER_BIT_SLOTS);
    for (const node of nodes) if (this.#draining.has(node)) bits[node >>> 5]! |= 1 << (node & 31);
    this.#counters.set(bits, OrderingCounter.DrainingBits);
  }
}
