import type { RecordSpan } from '../../engine/host/ring-host.ts';
import type { StoppableSource } from './memory-ring.ts';

/** A send queue that repeats the same records for as long as it is open. */
export class EndlessSource implements StoppableSource {
  /** A closed source is an empty queue, as is one without records. */
  isOpen = true;
  readonly #records: Uint8Array;
  #at = 0;

  constructor(records: Uint8Array) {
    this.#records = records;
  }

  get queuedBytes(): number {
    return this.isOpen ? this.#records.length - this.#at : 0;
  }

  peek(span: RecordSpan): boolean {
    span.bytes = this.#records;
    span.offset = this.#at;
    span.lengthBytes = this.#records.length - this.#at;
    return this.isOpen && span.lengthBytes > 0;
  }

  consume(lengthBytes: number): void {
    this.#at = (this.#at + lengthBytes) % this.#records.length;
  }
}
