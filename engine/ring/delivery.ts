/** What the store holds is given to the host: in order, early, or at a membership change (ring-protocol.md, 2.7 and 3.7). */
import type { NodeIndex } from '../wire/ids.ts';
import { hasBit, type RecoveryBlock } from '../wire/ring-membership.ts';
import { RingCounter } from './counters.ts';
import type { NodeContext } from './node-context.ts';
import { PacketClass } from './packet-class.ts';
import type { PacketStore } from './packet-store.ts';
import { RecordAssembler } from './record-assembler.ts';

/** Nobody of the block's members has the packet: it must be treated as lost even by one that got it since. */
export const isHole = (block: RecoveryBlock, seq: number): boolean =>
  seq > block.high || (seq > block.stable && hasBit(block.missing, seq - block.stable - 1));

export class Delivery {
  readonly #context: NodeContext;
  readonly #assembler: RecordAssembler;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#assembler = new RecordAssembler(context.nodeCount, context.host);
  }

  /**
   * Delivers everything that has its turn: no gap before it, and every SAFE packet before it and itself stable. Frees
   * what is delivered and stable.
   */
  deliverInOrder(store: PacketStore): void {
    const { host, counters } = this.#context;
    let seq = store.delivered;
    while (seq < store.myAru) {
      if (store.classOf(seq + 1) === PacketClass.Safe && seq + 1 > store.stable) break;
      if (!host.canDeliver()) break;
      seq++;
      if (!store.wasDeliveredEarly(seq)) this.#deliver(store, seq);
      store.delivered = seq;
    }
    store.discard();
    counters[RingCounter.Delivered] = store.delivered;
    counters[RingCounter.Discarded] = store.discarded;
    counters[RingCounter.Aru] = store.stable;
    counters[RingCounter.MyAru] = store.myAru;
    counters[RingCounter.HighSeq] = store.highSeq;
    counters[RingCounter.PacketsHeld] = store.held;
  }

  /** A packet that was just taken in: delivers it at once when its service promises no order. */
  deliverEarly(store: PacketStore, seq: number): void {
    if (store.classOf(seq) !== PacketClass.Early) return;
    const { host } = this.#context;
    if (!host.canDeliverEarly() || !host.canDeliver()) return;
    store.markDeliveredEarly(seq);
    this.#deliver(store, seq);
  }

  /**
   * Everything that is left of the old ring, with the transitional configuration at its place: the same at every member
   * that moves on together, because it looks at the block only, never at what this daemon happens to hold besides.
   */
  deliverOldRing(store: PacketStore, block: RecoveryBlock, deliverTransitional: () => void): void {
    let seq = store.delivered + 1;
    // Stable, or before the first hole and the first SAFE packet: still with the guarantees of the old configuration.
    while (seq <= block.high) {
      if (isHole(block, seq)) break;
      if (seq > block.stable && store.classOf(seq) === PacketClass.Safe) break;
      this.#deliverAtChange(store, seq);
      seq++;
    }
    deliverTransitional();
    let gap = false;
    for (; seq <= block.high; seq++) {
      if (isHole(block, seq)) {
        gap = true;
      } else if (!gap || block.obliged.has(store.originOf(seq)) || store.classOf(seq) === PacketClass.Early) {
        this.#deliverAtChange(store, seq);
      } else {
        // Its sender may have known the lost packet, and nobody else can vouch for it.
        this.#context.counters[RingCounter.DroppedAtChange]++;
      }
    }
    this.dropPartial();
  }

  dropPartial(): void {
    this.#context.counters[RingCounter.DroppedAtChange] += this.#assembler.reset();
  }

  #deliverAtChange(store: PacketStore, seq: number): void {
    if (store.has(seq) && !store.wasDeliveredEarly(seq)) this.#deliver(store, seq);
  }

  #deliver(store: PacketStore, seq: number): void {
    const origin: NodeIndex = store.originOf(seq);
    this.#assembler.deliver(origin, store.bytes, store.offsetOf(seq), store.lengthOf(seq));
    this.#context.counters[RingCounter.PacketsDelivered]++;
  }
}
