/**
 * A queue of records, in a ring buffer, between one producer thread and one consumer thread.
 *
 * Shared layout (one SharedArrayBuffer):
 *
 *     byte 0    i32  tail: bytes ever published, modulo 2^32      written by the producer only
 *     byte 64   i32  head: bytes ever released, modulo 2^32       written by the consumer only
 *     byte 128  data, a power of two
 *
 * Head and tail sit on cache lines of their own. Records (engine/wire/record.ts) are 8-aligned and never wrap: where
 * one would, a `Padding` record fills the end.
 *
 * Memory order: the producer writes a record's bytes, then publishes with an atomic store of `tail`; the consumer loads
 * `tail` atomically before it reads. Likewise the producer overwrites bytes only after an atomic load of a `head` past them.
 * Bytes between head and tail belong to the consumer, all others to the producer.
 */

import { broken } from '../invariant.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_POSITION_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_SESSION_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../wire/layout/record-header.ts';
import { alignRecord, RecordKind } from '../wire/record.ts';

const TAIL_INDEX = 0;
const HEAD_INDEX = 16;
const DATA_OFFSET = 128;

/** Smallest capacity that makes sense: a few records. */
const MIN_CAPACITY_BYTES = 1024;

/** @throws RangeError when the capacity is not a power of two of at least 1024 bytes */
export function createSpscQueue(capacityBytes: number): SharedArrayBuffer {
  if (capacityBytes < MIN_CAPACITY_BYTES || capacityBytes > 1 << 30 || (capacityBytes & (capacityBytes - 1)) !== 0) {
    throw new RangeError(
      `queue capacity ${capacityBytes}: must be a power of two between ${MIN_CAPACITY_BYTES} and 2^30 bytes`,
    );
  }
  return new SharedArrayBuffer(DATA_OFFSET + capacityBytes);
}

/** Longest record (header included) that always fits once the consumer has caught up, wherever the tail stands. */
export const maxRecordLength = (capacityBytes: number): number => capacityBytes / 2;

export class SpscQueueProducer {
  readonly capacityBytes: number;
  /** All of the queue's data; offsets returned by `claim` index it. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #positions: Int32Array;
  /** Private until `publish`. */
  #tail: number;
  #published: number;
  /** Last head seen; may be older than the truth, which only makes the queue look fuller. */
  #head: number;

  constructor(memory: SharedArrayBuffer) {
    this.capacityBytes = memory.byteLength - DATA_OFFSET;
    this.bytes = new Uint8Array(memory, DATA_OFFSET);
    this.view = new DataView(memory, DATA_OFFSET);
    this.#positions = new Int32Array(memory, 0, DATA_OFFSET / 4);
    this.#tail = Atomics.load(this.#positions, TAIL_INDEX);
    this.#published = this.#tail;
    this.#head = Atomics.load(this.#positions, HEAD_INDEX);
  }

  /**
   * Room for a record of `lengthBytes` (header included), its length field already written.
   * @returns the offset of the record in `bytes`, or -1 when the queue is full
   */
  claim(lengthBytes: number): number {
    const needed = alignRecord(lengthBytes);
    const mask = this.capacityBytes - 1;
    let offset = this.#tail & mask;
    const toEnd = this.capacityBytes - offset;
    const total = needed <= toEnd ? needed : toEnd + needed;
    if (!this.#hasRoom(total)) return -1;
    if (needed > toEnd) {
      this.view.setUint32(offset + RECORD_LENGTH_OFFSET, toEnd, true);
      // The end may be shorter than a whole header, but never shorter than length and kind.
      this.view.setUint8(offset + RECORD_KIND_OFFSET, RecordKind.Padding);
      this.#tail = (this.#tail + toEnd) | 0;
      offset = 0;
    }
    this.view.setUint32(offset + RECORD_LENGTH_OFFSET, lengthBytes, true);
    this.#tail = (this.#tail + needed) | 0;
    return offset;
  }

  /** Makes everything claimed visible to the consumer. @returns whether there was anything new */
  publish(): boolean {
    if (this.#published === this.#tail) return false;
    Atomics.store(this.#positions, TAIL_INDEX, this.#tail);
    this.#published = this.#tail;
    return true;
  }

  /** Bytes claimed and not yet released by the consumer, as far as this thread knows. */
  usedBytes(): number {
    this.#head = Atomics.load(this.#positions, HEAD_INDEX);
    return (this.#tail - this.#head) >>> 0;
  }

  #hasRoom(bytes: number): boolean {
    if (this.capacityBytes - ((this.#tail - this.#head) >>> 0) >= bytes) return true;
    this.#head = Atomics.load(this.#positions, HEAD_INDEX);
    return this.capacityBytes - ((this.#tail - this.#head) >>> 0) >= bytes;
  }
}

export class SpscQueueConsumer {
  readonly capacityBytes: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Set by `peek`: the range of whole records that may be read until `release`. */
  offset = 0;
  lengthBytes = 0;
  readonly #positions: Int32Array;
  #head: number;
  #tail: number;

  constructor(memory: SharedArrayBuffer) {
    this.capacityBytes = memory.byteLength - DATA_OFFSET;
    this.bytes = new Uint8Array(memory, DATA_OFFSET);
    this.view = new DataView(memory, DATA_OFFSET);
    this.#positions = new Int32Array(memory, 0, DATA_OFFSET / 4);
    this.#head = Atomics.load(this.#positions, HEAD_INDEX);
    this.#tail = this.#head;
  }

  /**
   * Finds the next contiguous range of whole records, at most `maxBytes` long but always at least one record.
   * Padding is skipped and never shown.
   * @returns false when the queue is empty
   */
  peek(maxBytes: number): boolean {
    const mask = this.capacityBytes - 1;
    if (this.#head === this.#tail) {
      this.#tail = Atomics.load(this.#positions, TAIL_INDEX);
      if (this.#head === this.#tail) return false;
    }
    let start = this.#head & mask;
    if (this.view.getUint8(start + RECORD_KIND_OFFSET) === RecordKind.Padding) {
      this.#advance(this.view.getUint32(start + RECORD_LENGTH_OFFSET, true));
      if (this.#head === this.#tail) {
        this.#tail = Atomics.load(this.#positions, TAIL_INDEX);
        if (this.#head === this.#tail) return false;
      }
      start = this.#head & mask;
    }
    const available = Math.min((this.#tail - this.#head) >>> 0, this.capacityBytes - start);
    this.offset = start;
    this.lengthBytes =
      available <= maxBytes ? this.#withoutPadding(start, available) : this.#wholeRecords(start, available, maxBytes);
    return true;
  }

  /** Gives the first `lengthBytes` of the range last peeked (whole records) back to the producer. */
  release(lengthBytes: number): void {
    this.#advance(lengthBytes);
  }

  /** Bytes published and not released, padding included. */
  usedBytes(): number {
    return (Atomics.load(this.#positions, TAIL_INDEX) - this.#head) >>> 0;
  }

  #advance(bytes: number): void {
    const held = (this.#tail - this.#head) >>> 0;
    if (bytes < 0 || bytes > held) broken('a queue releases no more than it was shown', { bytes, held });
    this.#head = (this.#head + bytes) | 0;
    Atomics.store(this.#positions, HEAD_INDEX, this.#head);
  }

  /** A range that ends at the end of the buffer may have padding as its last record. */
  #withoutPadding(start: number, available: number): number {
    if (start + available < this.capacityBytes) return available;
    return this.#wholeRecords(start, available, available);
  }

  #wholeRecords(start: number, available: number, maxBytes: number): number {
    let length = 0;
    while (length < available && this.view.getUint8(start + length + RECORD_KIND_OFFSET) !== RecordKind.Padding) {
      const next = alignRecord(this.view.getUint32(start + length + RECORD_LENGTH_OFFSET, true));
      if (length > 0 && length + next > maxBytes) break;
      length += next;
    }
    return length;
  }
}

/** Writes the fields all records have; the length was written by `claim`. */
export function writeRecordHeader(
  view: DataView,
  offset: number,
  kind: RecordKind,
  service: number,
  flags: number,
  session: number,
  frameCount: number,
  targetHash: number,
): void {
  view.setUint8(offset + RECORD_KIND_OFFSET, kind);
  view.setUint8(offset + RECORD_SERVICE_OFFSET, service);
  view.setUint16(offset + RECORD_FLAGS_OFFSET, flags, true);
  view.setUint32(offset + RECORD_SESSION_OFFSET, session, true);
  view.setUint32(offset + RECORD_FRAME_COUNT_OFFSET, frameCount, true);
  view.setInt32(offset + RECORD_TARGET_HASH_OFFSET, targetHash, true);
  view.setUint32(offset + RECORD_POSITION_OFFSET, 0, true);
}

export const recordBody = (recordOffset: number): number => recordOffset + RECORD_HEADER_LENGTH;
