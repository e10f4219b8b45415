/**
 * The packets of one ring that may still be asked for or wait for delivery, in slots of fixed size allocated once, and the
 * positions in the sequence (ring-protocol.md, 2.1). Outside a membership change
 * `discarded <= delivered`, `discarded <= stable <= myAru <= highSeq`.
 */
import type { NodeIndex } from '../wire/ids.ts';
import { copyBytes } from '../wire/ring-bytes.ts';
import { PacketClass } from './packet-class.ts';

const CLASS_MASK = 3;
const DELIVERED_EARLY = 4;
const NOWHERE = -1;

export class PacketStore {
  /** Number of slots, a power of two; the packets `discarded + 1 .. discarded + capacity` have one. */
  readonly capacity: number;
  /** Places for the records of a packet, one after the other. */
  readonly bytes: Uint8Array;
  readonly #slotBytes: number;
  /** The ring's packets are numbered from the one above this. */
  readonly #base: number;
  readonly #mask: number;
  /**
   * By slot: its place in `bytes`, or NOWHERE. Slots follow the sequence round all of them; places are given out again as soon as they
   * are free, the last one first. So a ring on which little is under way works in few of them, which stay in the cache.
   */
  readonly #places: Int32Array;
  readonly #freePlaces: Int32Array;
  #freeCount = 0;
  /** Bytes of records in each slot. */
  readonly #lengths: Int32Array;
  readonly #origins: Uint16Array;
  /** 0 when the slot is free; else a `PacketClass`, and whether it was delivered early. */
  readonly #states: Uint8Array;
  /** How often the packet of a free slot was asked for. */
  readonly #asked: Uint8Array;

  /** Highest sequence number known of. */
  highSeq = 0;
  /** All packets up to here are held. */
  myAru = 0;
  /** All packets up to here are held by all members. */
  stable = 0;
  /** All packets up to here were delivered in order. */
  delivered = 0;
  /** The slots up to here were freed. */
  discarded = 0;
  held = 0;

  constructor(capacity: number, slotBytes: number, base = 0) {
    this.capacity = capacity;
    this.#base = base;
    this.#mask = capacity - 1;
    this.#slotBytes = (slotBytes + 7) & ~7;
    this.bytes = new Uint8Array(capacity * this.#slotBytes);
    this.#places = new Int32Array(capacity);
    this.#freePlaces = new Int32Array(capacity);
    this.#lengths = new Int32Array(capacity);
    this.#origins = new Uint16Array(capacity);
    this.#states = new Uint8Array(capacity);
    this.#asked = new Uint8Array(capacity);
    this.reset();
  }

  /** Empty, for a new ring. */
  reset(): void {
    this.#states.fill(0);
    this.#asked.fill(0);
    this.#places.fill(NOWHERE);
    for (let i = 0; i < this.capacity; i++) this.#freePlaces[i] = this.capacity - 1 - i;
    this.#freeCount = this.capacity;
    this.highSeq = this.#base;
    this.myAru = this.#base;
    this.stable = this.#base;
    this.delivered = this.#base;
    this.discarded = this.#base;
    this.held = 0;
  }

  get slotBytes(): number {
    return this.#slotBytes;
  }

  /** A slot exists for the packet, filled or free. */
  covers(seq: number): boolean {
    return seq > this.discarded && seq <= this.discarded + this.capacity;
  }

  has(seq: number): boolean {
    return this.covers(seq) && this.#states[this.#slot(seq)] !== 0;
  }

  /** Where in `bytes` the records of `seq`, a packet that is held, are. */
  offsetOf(seq: number): number {
    return this.#places[this.#slot(seq)]! * this.#slotBytes;
  }

  /** Where in `bytes` the records of `seq`, whose slot is free, are to be written. */
  reserve(seq: number): number {
    const slot = this.#slot(seq);
    let place = this.#places[slot]!;
    if (place === NOWHERE) {
      place = this.#freePlaces[--this.#freeCount]!;
      this.#places[slot] = place;
    }
    return place * this.#slotBytes;
  }

  lengthOf(seq: number): number {
    return this.#lengths[this.#slot(seq)]!;
  }

  originOf(seq: number): NodeIndex {
    return this.#origins[this.#slot(seq)]! as NodeIndex;
  }

  classOf(seq: number): PacketClass {
    return (this.#states[this.#slot(seq)]! & CLASS_MASK) as PacketClass;
  }

  wasDeliveredEarly(seq: number): boolean {
    return (this.#states[this.#slot(seq)]! & DELIVERED_EARLY) !== 0;
  }

  markDeliveredEarly(seq: number): void {
    const slot = this.#slot(seq);
    this.#states[slot] = this.#states[slot]! | DELIVERED_EARLY;
  }

  /** Takes a packet in; the caller made sure that its slot is there and free, and that the records fit. */
  put(
    seq: number,
    origin: NodeIndex,
    packetClass: PacketClass,
    bytes: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): void {
    copyBytes(this.bytes, this.reserve(seq), bytes, offset, lengthBytes);
    this.putOwn(seq, origin, packetClass, lengthBytes);
  }

  /** Takes in a packet whose records were written where `reserve` said. */
  putOwn(seq: number, origin: NodeIndex, packetClass: PacketClass, lengthBytes: number): void {
    const slot = this.#slot(seq);
    this.#lengths[slot] = lengthBytes;
    this.#origins[slot] = origin;
    this.#states[slot] = packetClass === PacketClass.None ? PacketClass.Ordered : packetClass;
    this.#asked[slot] = 0;
    this.held++;
    if (seq > this.highSeq) this.highSeq = seq;
    if (seq === this.myAru + 1) this.#advanceAru();
  }

  /** Counts one more request for a packet that is not held. @returns how many there were before */
  countRequest(seq: number): number {
    const slot = this.#slot(seq);
    const before = this.#asked[slot]!;
    if (before < 255) this.#asked[slot] = before + 1;
    return before;
  }

  /** Frees every slot up to what is both delivered and stable. */
  discard(): void {
    const limit = Math.min(this.delivered, this.stable);
    while (this.discarded < limit) {
      this.discarded++;
      const slot = this.#slot(this.discarded);
      if (this.#states[slot] !== 0) this.held--;
      this.#states[slot] = 0;
      this.#asked[slot] = 0;
      const place = this.#places[slot]!;
      if (place === NOWHERE) continue;
      this.#places[slot] = NOWHERE;
      this.#freePlaces[this.#freeCount++] = place;
    }
  }

  #advanceAru(): void {
    let seq = this.myAru + 1;
    while (seq < this.highSeq && this.has(seq + 1)) seq++;
    this.myAru = seq;
  }

  #slot(seq: number): number {
    // `>>> 0` takes the low 32 bits of a 48-bit number: bit operations alone would read it as signed.
    return (seq >>> 0) & this.#mask;
  }
}

/** Slots and the gap G (ring-protocol.md, 2.9): no new packets while `highSeq > stable + gap`. */
export interface StoreSize {
  readonly capacity: number;
  readonly gap: number;
}

/** Address space: memory is used only for places that were ever needed. */
const MAX_STORE_BYTES = 160 << 20;

/**
 * About ten windows of unstable packets, as in the original, plus what may be under way when the gap is reached; less when
 * datagrams can be so large that this would take too much room.
 */
export function storeSize(window: number, slotBytes: number): StoreSize {
  const underWay = 3 * window;
  let capacity = 64;
  while (capacity < 12 * window) capacity *= 2;
  while (capacity * slotBytes > MAX_STORE_BYTES && capacity / 2 > 2 * underWay) capacity /= 2;
  return { capacity, gap: Math.min(10 * window, capacity - underWay) };
}
