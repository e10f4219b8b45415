/** Finds the packet that a probe of this daemon goes into. There while one is awaited, and only then. */
import { RingCounter } from '../../engine/host/ring-counters.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_LENGTH_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { TRACE_TARGET } from '../../engine/wire/monitor-name.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { alignRecord } from '../../engine/wire/record.ts';
import { readU32 } from '../../engine/wire/ring-bytes.ts';

/** Of the records that carry probes, and what else daemons say about traces. */
const TRACE_HASH = hashNameWords(nameWords(TRACE_TARGET), 0) >>> 0;

export class ProbeWatch {
  readonly id: number;
  readonly hopBefore: number;
  readonly #roundsBefore: number;
  readonly #counters: Float64Array;
  /** Text that the probe's data has, and nothing else of this daemon. */
  readonly #mark: Uint8Array;
  #isFound = false;
  /** Packets behind the probe's that were filled in the same visit of the token. */
  #behind = 0;

  /** @param counters of the ring node */
  constructor(id: number, mark: string, hopBefore: number, counters: Float64Array) {
    this.id = id;
    this.hopBefore = hopBefore;
    this.#counters = counters;
    this.#roundsBefore = counters[RingCounter.TokenRounds]!;
    this.#mark = new TextEncoder().encode(mark);
  }

  /** A packet was filled. */
  filled(bytes: Uint8Array, offset: number, lengthBytes: number): void {
    if (this.#isFound) this.#behind++;
    else this.#isFound = this.#has(bytes, offset, offset + lengthBytes);
  }

  /** The ring node has done its work. @returns sequence number of the packet; 0: it is not sent yet */
  settled(): number {
    return this.#isFound ? this.#counters[RingCounter.HighSeq]! - this.#behind : 0;
  }

  get visits(): number {
    return this.#counters[RingCounter.TokenRounds]! - this.#roundsBefore;
  }

  #has(bytes: Uint8Array, offset: number, end: number): boolean {
    for (let at = offset; at < end; at += alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET))) {
      if (readU32(bytes, at + RECORD_TARGET_HASH_OFFSET) !== TRACE_HASH) continue;
      const body = Buffer.from(bytes.buffer, bytes.byteOffset + at, readU32(bytes, at + RECORD_LENGTH_OFFSET));
      if (body.indexOf(this.#mark, RECORD_HEADER_LENGTH) !== -1) return true;
    }
    return false;
  }
}
