/** The send queue of a virtual daemon: whole records back to back, as a submit queue lends them. */

import type { RecordSpan } from '../../../engine/host/ring-host.ts';
import type { RecordSource } from '../../../engine/ring/packing.ts';
import { RECORD_LENGTH_OFFSET } from '../../../engine/wire/layout/record-header.ts';
import { alignRecord } from '../../../engine/wire/record.ts';
import { readU32 } from '../../../engine/wire/ring-bytes.ts';

export class RecordQueue implements RecordSource {
  readonly #maxSpanBytes: number;
  #bytes = new Uint8Array(16_384);
  #head = 0;
  #tail = 0;

  /** @param maxSpanBytes most it lends at once; one record may be longer */
  constructor(maxSpanBytes: number) {
    this.#maxSpanBytes = maxSpanBytes;
  }

  get lengthBytes(): number {
    return this.#tail - this.#head;
  }

  push(record: Uint8Array): void {
    if (this.#tail + record.length > this.#bytes.length) this.#makeRoom(record.length);
    this.#bytes.set(record, this.#tail);
    this.#tail += record.length;
  }

  peek(span: RecordSpan): boolean {
    if (this.#head === this.#tail) return false;
    span.bytes = this.#bytes;
    span.offset = this.#head;
    span.lengthBytes = this.#spanBytes();
    return true;
  }

  consume(lengthBytes: number): void {
    if (lengthBytes > this.lengthBytes)
      throw new RangeError(`consumed ${lengthBytes} bytes of a queue that holds ${this.lengthBytes}`);
    this.#head += lengthBytes;
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
    }
  }

  #spanBytes(): number {
    const held = this.lengthBytes;
    if (held <= this.#maxSpanBytes) return held;
    let length = 0;
    do {
      const next = alignRecord(readU32(this.#bytes, this.#head + length + RECORD_LENGTH_OFFSET));
      if (length > 0 && length + next > this.#maxSpanBytes) break;
      length += next;
    } while (length < held);
    return length;
  }

  #makeRoom(lengthBytes: number): void {
    const held = this.lengthBytes;
    const wanted = Math.max(this.#bytes.length, 2 * (held + lengthBytes));
    // A lent span keeps pointing into the old array, so it is never moved in place.
    const bytes = new Uint8Array(wanted);
    bytes.set(this.#bytes.subarray(this.#head, this.#tail));
    this.#bytes = bytes;
    this.#head = 0;
    this.#tail = held;
  }
}
