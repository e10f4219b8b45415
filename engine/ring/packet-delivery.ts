/** Delivers packets of the store to the host: in order, early, or at a membership change (ring-protocol.md, 2.7 and 3.7). */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { RECORD_LENGTH_OFFSET } from '../wire/layout/record-header.ts';
import { alignRecord, RECORD_AFTER_OFFSET } from '../wire/record.ts';
import { RecordFault } from '../wire/record-check.ts';
import { readU32 } from '../wire/ring-bytes.ts';
import { hasBit, type RecoveryBlock } from '../wire/ring-membership.ts';
import { PacketClass } from './packet-class.ts';
import type { PacketStore } from './packet-store.ts';
import { RecordAssembler } from './record-assembler.ts';

/** No member of the block has the packet: all treat it as lost, also one that received it since. */
export const isHole = (block: RecoveryBlock, seq: number): boolean =>
  seq > block.high || (seq > block.stable && hasBit(block.missing, seq - block.stable - 1));

export class PacketDelivery {
  readonly #context: NodeContext;
  readonly #assembler: RecordAssembler;
  /** Packets that could not be delivered early yet, and are not delivered, are from here .. */
  #waitingFrom = 0;
  /** .. to here; none when this is delivered. */
  #waitingTo = 0;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#assembler = new RecordAssembler(context.nodeCount, context.host);
  }

  /** A ring was installed; `store` holds what came of it already. */
  begin(store: PacketStore): void {
    this.#waitingFrom = store.delivered + 1;
    this.#waitingTo = store.highSeq;
  }

  /** Packet `seq` was taken in: delivers what can be. */
  taken(store: PacketStore, seq: number): void {
    const delivered = store.delivered;
    const hasRoom = this.#deliverInOrder(store);
    let moved = store.delivered !== delivered;
    if (seq > store.delivered && store.classOf(seq) === PacketClass.Early) {
      if (hasRoom && this.#deliverEarly(store, seq)) moved = true;
      else this.#wait(store, seq, seq);
    }
    if (moved && hasRoom) this.#deliverWaiting(store);
  }

  /** The packets `first .. last` of this daemon were put into the store: delivers what can be. */
  originated(store: PacketStore, first: number, last: number): void {
    if (first <= last) this.#wait(store, first, last);
    this.deliver(store);
  }

  /** Delivers what is next in the order, or may come ahead of it. */
  deliver(store: PacketStore): void {
    if (this.#deliverInOrder(store)) this.#deliverWaiting(store);
  }

  /**
   * Delivers everything that is next in the order: no gap before it, and every SAFE packet before it and itself stable. Frees
   * what is delivered and stable.
   * @returns false when more could be delivered if there were room. Then nothing may be delivered early either: it could rely on that.
   */
  #deliverInOrder(store: PacketStore): boolean {
    const { host, counters } = this.#context;
    let seq = store.delivered;
    let hasRoom = true;
    while (seq < store.myAru) {
      if (store.classOf(seq + 1) === PacketClass.Safe && seq + 1 > store.stable) break;
      if (!host.canDeliver()) {
        hasRoom = false;
        break;
      }
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
    return hasRoom;
  }

  #wait(store: PacketStore, first: number, last: number): void {
    if (this.#waitingTo <= store.delivered || first < this.#waitingFrom) this.#waitingFrom = first;
    if (last > this.#waitingTo) this.#waitingTo = last;
  }

  /** Each waits for packets with lower numbers only, so one walk finds all that can be delivered. */
  #deliverWaiting(store: PacketStore): void {
    let first = 0;
    let last = 0;
    for (let seq = Math.max(this.#waitingFrom, store.delivered + 1); seq <= this.#waitingTo; seq++) {
      if (!store.has(seq) || store.classOf(seq) !== PacketClass.Early || store.wasDeliveredEarly(seq)) continue;
      if (this.#deliverEarly(store, seq)) continue;
      if (first === 0) first = seq;
      last = seq;
    }
    this.#waitingFrom = first;
    this.#waitingTo = last;
  }

  /** @returns whether the packet, whose service promises no order among sessions, was delivered ahead of the order */
  #deliverEarly(store: PacketStore, seq: number): boolean {
    const { host } = this.#context;
    if (!this.#mayOvertake(store, seq) || !host.canDeliverEarly() || !host.canDeliver()) return false;
    store.markDeliveredEarly(seq);
    this.#deliver(store, seq);
    return true;
  }

  /** What the sessions in the packet sent before it is delivered (engine/ring/sent-by-session.ts). */
  #mayOvertake(store: PacketStore, seq: number): boolean {
    const { bytes } = store;
    const offset = store.offsetOf(seq);
    const end = offset + store.lengthOf(seq);
    for (let at = offset; at < end; at += alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET))) {
      const after = readU32(bytes, at + RECORD_AFTER_OFFSET);
      if (after > 0 && seq - after > store.delivered && !store.wasDeliveredEarly(seq - after)) return false;
    }
    return true;
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
        this.#assembler.behindHole = true;
      } else if (!gap || block.obliged.has(store.originOf(seq)) || store.classOf(seq) === PacketClass.Early) {
        this.#deliverAtChange(store, seq);
      } else {
        // It may depend on the lost packet, and its sender is not there to rule that out.
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
    const lengthBytes = store.lengthOf(seq);
    if (lengthBytes === 0) this.#context.host.recordRefused(origin, RecordFault.Packet);
    else this.#assembler.deliver(origin, store.bytes, store.offsetOf(seq), lengthBytes);
    this.#context.counters[RingCounter.PacketsDelivered]++;
  }
}
