/**
 * Puts messages together from their fragments, one at a time for each daemon, in ring order (ring-protocol.md, 2.10), and
 * hands whole records on.
 */

import type { RingHost } from '../host/ring-host.ts';
import type { NodeIndex } from '../wire/ids.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_LENGTH_OFFSET,
  RECORD_POSITION_OFFSET,
} from '../wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST } from '../wire/record.ts';
import { MAX_RECORD_BODY_LENGTH, RecordFault } from '../wire/record-check.ts';
import { copyBytes, readU16, readU32, writeU16, writeU32 } from '../wire/ring-bytes.ts';

/** A buffer larger than this is given back when its message is complete. */
const KEPT_BUFFER_BYTES = 1 << 18;
const FIRST_BUFFER_BYTES = 1 << 14;
const NO_BYTES: Uint8Array = new Uint8Array(0);

export class RecordAssembler {
  /** Packets are missing in what is delivered, so a fragment without its beginning is no fault. Until `reset`. */
  behindHole = false;
  readonly #host: RingHost;
  readonly #buffers: Uint8Array[];
  /** Body bytes collected so far by origin; -1 when no message is under way. */
  readonly #collected: Int32Array;

  constructor(nodeCount: number, host: RingHost) {
    this.#host = host;
    this.#buffers = Array.from({ length: nodeCount }, () => NO_BYTES);
    this.#collected = new Int32Array(nodeCount).fill(-1);
  }

  /** Throws away every half-built message. @returns how many there were */
  reset(): number {
    let dropped = 0;
    this.behindHole = false;
    for (let node = 0; node < this.#collected.length; node++) {
      if (this.#collected[node]! >= 0) dropped++;
      this.#collected[node] = -1;
      this.#buffers[node] = NO_BYTES;
    }
    return dropped;
  }

  /** Delivers the records of one packet; the area was checked when the packet came. */
  deliver(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const end = offset + lengthBytes;
    let wholeStart = offset;
    for (let at = offset; at < end; ) {
      const recordBytes = readU32(bytes, at + RECORD_LENGTH_OFFSET);
      const marks = readU16(bytes, at + RECORD_FLAGS_OFFSET) & (RECORD_FIRST | RECORD_LAST);
      const next = at + alignRecord(recordBytes);
      if (marks !== (RECORD_FIRST | RECORD_LAST)) {
        if (at > wholeStart) this.#host.deliverRecords(origin, bytes, wholeStart, at - wholeStart);
        this.#addFragment(origin, bytes, at, recordBytes, marks);
        wholeStart = next;
      }
      at = next;
    }
    if (end > wholeStart) this.#host.deliverRecords(origin, bytes, wholeStart, end - wholeStart);
  }

  #addFragment(origin: NodeIndex, bytes: Uint8Array, record: number, recordBytes: number, marks: number): void {
    const partBytes = recordBytes - RECORD_HEADER_LENGTH;
    const position = readU32(bytes, record + RECORD_POSITION_OFFSET);
    const collected = (marks & RECORD_FIRST) !== 0 ? 0 : this.#collected[origin]!;
    // A sender's fragments come complete and in order, or it does not keep to the protocol.
    const goesOn = position === collected;
    if (!goesOn || collected + partBytes > MAX_RECORD_BODY_LENGTH) {
      this.#collected[origin] = -1;
      this.#buffers[origin] = NO_BYTES;
      if (goesOn || !this.behindHole) this.#host.recordRefused(origin, RecordFault.Fragment);
      return;
    }
    const total = collected + partBytes;
    const buffer = this.#reserve(origin, RECORD_HEADER_LENGTH + total, collected);
    copyBytes(buffer, RECORD_HEADER_LENGTH + collected, bytes, record + RECORD_HEADER_LENGTH, partBytes);
    if ((marks & RECORD_LAST) === 0) {
      this.#collected[origin] = total;
      return;
    }
    const lengthBytes = RECORD_HEADER_LENGTH + total;
    const alignedBytes = alignRecord(lengthBytes);
    copyBytes(buffer, 0, bytes, record, RECORD_HEADER_LENGTH);
    writeU32(buffer, RECORD_LENGTH_OFFSET, lengthBytes);
    writeU16(buffer, RECORD_FLAGS_OFFSET, readU16(bytes, record + RECORD_FLAGS_OFFSET) | RECORD_FIRST | RECORD_LAST);
    writeU32(buffer, RECORD_POSITION_OFFSET, 0);
    buffer.fill(0, lengthBytes, alignedBytes);
    this.#collected[origin] = -1;
    if (buffer.length > KEPT_BUFFER_BYTES) this.#buffers[origin] = NO_BYTES;
    this.#host.deliverRecords(origin, buffer, 0, alignedBytes);
  }

  #reserve(origin: NodeIndex, neededBytes: number, collected: number): Uint8Array {
    const buffer = this.#buffers[origin]!;
    if (buffer.length >= alignRecord(neededBytes)) return buffer;
    const larger = new Uint8Array(Math.max(FIRST_BUFFER_BYTES, buffer.length * 2, alignRecord(neededBytes)));
    copyBytes(larger, RECORD_HEADER_LENGTH, buffer, RECORD_HEADER_LENGTH, collected);
    this.#buffers[origin] = larger;
    return larger;
  }
}
