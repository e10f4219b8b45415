/** The send queue of a virtual daemon: whole records back to back, as a submit ring lends them. */
import type { RecordSource } from '../../../engine/ring/packing.ts';
import type { RecordSpan } from '../../../engine/ring/ports.ts';

export class RecordQueue implements RecordSource {
  #bytes = new Uint8Array(16_384);
  #head = 0;
  #tail = 0;

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
    span.lengthBytes = this.#tail - this.#head;
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
