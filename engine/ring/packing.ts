/**
 * Cutting the records of the send queue into packet bodies (ring-protocol.md, 2.10).
 *
 * A packet body is a series of records (engine/wire/record.ts). A run that does not fit is cut between its frames into
 * records of their own; a frame that does not fit is cut into fragments, which the receivers put together again
 * (record-assembler.ts). Packets are pure: SAFE, ordered and early (RELIABLE, UNRELIABLE) services never share one,
 * because SAFE would hold the others back and ordered ones could not be delivered early.
 */

import type { RecordSpan } from '../host/ring-host.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_HEADER_LENGTH,
} from '../wire/layout/frame-header.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_POSITION_OFFSET,
  RECORD_SERVICE_OFFSET,
} from '../wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../wire/limits.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RecordKind } from '../wire/record.ts';
import { copyBytes, readU16, readU32, writeU16, writeU32 } from '../wire/ring-bytes.ts';
import { PacketClass, packetClassOf } from './packet-class.ts';

/** What a send queue must offer to be cut into packets. */
export interface RecordSource {
  /** Lends the contiguous range of whole records at the front of the queue; false when the queue is empty. */
  peek(span: RecordSpan): boolean;
  /** Takes that many bytes, always whole records with their padding, off the front. */
  consume(lengthBytes: number): void;
}

/** Room that is not worth a fragment of its own. */
const MIN_FRAGMENT_BYTES = 256;

/**
 * The sending side of a `RingHost`: `fillPacket`, `borrowRecords` and `releaseRecords` over one source. It remembers how
 * much of the first record was sent. While `midMessage` is true the next packet must come from this filler too: receivers
 * put together one message at a time for each daemon.
 */
export class PacketFiller {
  readonly #source: RecordSource;
  readonly #span: RecordSpan = { bytes: new Uint8Array(0), offset: 0, lengthBytes: 0 };
  /** Bytes of the first record's body that are in packets already. */
  #bodyDone = 0;
  /** Where in that body the message starts that `#bodyDone` is in: the two differ in the middle of a message. */
  #messageStart = 0;
  #borrowedBytes = 0;
  /** Rest of a record whose first frames were sent in a ring of many, as a record for a ring of one. */
  #remainder: Uint8Array = new Uint8Array(0);

  #out: Uint8Array = new Uint8Array(0);
  #outStart = 0;
  #outAt = 0;
  #outEnd = 0;

  constructor(source: RecordSource) {
    this.#source = source;
  }

  /** A message is sent in part. */
  get midMessage(): boolean {
    return this.#bodyDone !== this.#messageStart;
  }

  /**
   * To be called at every regular configuration: the rest of a half-sent message would not be understood in the new ring,
   * and nobody can have delivered it, so it is sent again from its start (ring-protocol.md, 3.7, step 5).
   */
  restartMessage(): void {
    this.#bodyDone = this.#messageStart;
  }

  /** `RingHost.fillPacket`. `offset` should be a multiple of 8. */
  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    this.#out = out;
    this.#outStart = offset;
    this.#outAt = offset;
    this.#outEnd = offset + (capacityBytes & ~7);
    let packetClass: PacketClass = PacketClass.None;
    const span = this.#span;
    while (this.#source.peek(span)) {
      const consumed = this.#fillFromSpan(span, packetClass);
      if (consumed > 0) this.#source.consume(consumed);
      if (consumed < span.lengthBytes) break;
      if (this.#outAt > offset) packetClass = packetClassOf(out[offset + RECORD_SERVICE_OFFSET]!);
    }
    return this.#outAt - offset;
  }

  /** `RingHost.borrowRecords`. */
  borrowRecords(span: RecordSpan): boolean {
    if (!this.#source.peek(span)) return false;
    if (this.#bodyDone === 0) {
      this.#borrowedBytes = span.lengthBytes;
      return true;
    }
    const recordBytes = readU32(span.bytes, span.offset + RECORD_LENGTH_OFFSET);
    this.#borrowedBytes = alignRecord(recordBytes);
    this.#makeRemainder(span.bytes, span.offset, recordBytes);
    span.bytes = this.#remainder;
    span.offset = 0;
    span.lengthBytes = alignRecord(readU32(this.#remainder, RECORD_LENGTH_OFFSET));
    return true;
  }

  /** `RingHost.releaseRecords`. */
  releaseRecords(): void {
    this.#source.consume(this.#borrowedBytes);
    this.#borrowedBytes = 0;
    this.#bodyDone = 0;
    this.#messageStart = 0;
  }

  /** @returns bytes of whole records of the span that are used up; less than the span when the packet is full */
  #fillFromSpan(span: RecordSpan, packetClassBefore: PacketClass): number {
    const bytes = span.bytes;
    const end = span.offset + span.lengthBytes;
    let packetClass = packetClassBefore;
    let at = span.offset;
    // Whole records that follow each other are copied in one go.
    let wholeStart = at;
    let outAt = this.#outAt;
    while (at < end) {
      const alignedBytes = alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET));
      const isPadding = bytes[at + RECORD_KIND_OFFSET] === RecordKind.Padding;
      if (!isPadding) {
        const recordClass = packetClassOf(bytes[at + RECORD_SERVICE_OFFSET]!);
        if (packetClass !== PacketClass.None && recordClass !== packetClass) break;
        packetClass = recordClass;
        if (this.#bodyDone === 0 && outAt + alignedBytes <= this.#outEnd) {
          at += alignedBytes;
          outAt += alignedBytes;
          continue;
        }
      }
      this.#copyWhole(bytes, wholeStart, at);
      if (!isPadding && !this.#cut(bytes, at, packetClass)) return at - span.offset;
      at += alignedBytes;
      wholeStart = at;
      outAt = this.#outAt;
    }
    this.#copyWhole(bytes, wholeStart, at);
    return at - span.offset;
  }

  #copyWhole(bytes: Uint8Array, start: number, end: number): void {
    if (end === start) return;
    copyBytes(this.#out, this.#outAt, bytes, start, end - start);
    this.#outAt += end - start;
  }

  /**
   * Writes as much as fits of a record that does not fit whole, or of which a part is sent.
   * @returns whether the record is used up
   */
  #cut(bytes: Uint8Array, record: number, packetClass: PacketClass): boolean {
    const bodyBytes = readU32(bytes, record + RECORD_LENGTH_OFFSET) - RECORD_HEADER_LENGTH;
    const body = record + RECORD_HEADER_LENGTH;
    const isRun = bytes[record + RECORD_KIND_OFFSET] === RecordKind.Run;
    while (this.#bodyDone < bodyBytes || bodyBytes === 0) {
      const room = this.#outEnd - this.#outAt - RECORD_HEADER_LENGTH;
      const messageEnd = isRun ? frameEnd(bytes, body, this.#messageStart, bodyBytes) : bodyBytes;
      if (this.#bodyDone === this.#messageStart && messageEnd - this.#messageStart <= room) {
        let framesEnd = messageEnd;
        let frames = 1;
        while (isRun && framesEnd < bodyBytes) {
          const next = frameEnd(bytes, body, framesEnd, bodyBytes);
          if (next - this.#messageStart > room) break;
          framesEnd = next;
          frames++;
        }
        const count = isRun ? frames : readU32(bytes, record + RECORD_FRAME_COUNT_OFFSET);
        this.#emit(bytes, record, this.#bodyDone, framesEnd, RECORD_FIRST | RECORD_LAST, count, 0);
        this.#bodyDone = framesEnd;
        this.#messageStart = framesEnd;
        if (bodyBytes === 0) break;
        continue;
      }
      if (!this.#worthCutting(room, messageEnd - this.#messageStart, packetClass)) return false;
      const partEnd = Math.min(messageEnd, this.#bodyDone + room);
      const first = this.#bodyDone === this.#messageStart ? RECORD_FIRST : 0;
      const last = partEnd === messageEnd ? RECORD_LAST : 0;
      const count = last === 0 ? 0 : isRun ? 1 : readU32(bytes, record + RECORD_FRAME_COUNT_OFFSET);
      this.#emit(bytes, record, this.#bodyDone, partEnd, first | last, count, this.#bodyDone - this.#messageStart);
      this.#bodyDone = partEnd;
      if (last !== 0) this.#messageStart = partEnd;
    }
    this.#bodyDone = 0;
    this.#messageStart = 0;
    return true;
  }

  /** Early messages are kept whole where they can be: only whole ones can be delivered early. */
  #worthCutting(room: number, messageBytes: number, packetClass: PacketClass): boolean {
    const emptyPacketRoom = this.#outEnd - this.#outStart - RECORD_HEADER_LENGTH;
    if (this.#outAt === this.#outStart) return room > 0;
    if (this.midMessage) return room > 0;
    if (packetClass === PacketClass.Early && messageBytes <= emptyPacketRoom) return false;
    return room >= MIN_FRAGMENT_BYTES;
  }

  #emit(
    bytes: Uint8Array,
    record: number,
    bodyFrom: number,
    bodyTo: number,
    marks: number,
    frameCount: number,
    position: number,
  ): void {
    const written = writePart(this.#out, this.#outAt, bytes, record, bodyFrom, bodyTo, marks, frameCount, position);
    this.#outAt += written;
  }

  #makeRemainder(bytes: Uint8Array, record: number, recordBytes: number): void {
    const bodyBytes = recordBytes - RECORD_HEADER_LENGTH;
    if (this.#remainder.length < alignRecord(recordBytes)) this.#remainder = new Uint8Array(alignRecord(recordBytes));
    const start = this.#messageStart;
    let frames = 0;
    for (let at = start; at < bodyBytes; frames++) {
      at = frameEnd(bytes, record + RECORD_HEADER_LENGTH, at, bodyBytes);
    }
    writePart(this.#remainder, 0, bytes, record, start, bodyBytes, RECORD_FIRST | RECORD_LAST, frames, 0);
  }
}

/**
 * Writes body bytes `[bodyFrom, bodyTo)` of a record as a record of their own.
 * @returns its length with padding
 */
function writePart(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  record: number,
  bodyFrom: number,
  bodyTo: number,
  marks: number,
  frameCount: number,
  position: number,
): number {
  const lengthBytes = RECORD_HEADER_LENGTH + bodyTo - bodyFrom;
  copyBytes(out, at, bytes, record, RECORD_HEADER_LENGTH);
  const flags = readU16(bytes, record + RECORD_FLAGS_OFFSET) & ~(RECORD_FIRST | RECORD_LAST);
  writeU32(out, at + RECORD_LENGTH_OFFSET, lengthBytes);
  writeU16(out, at + RECORD_FLAGS_OFFSET, flags | marks);
  writeU32(out, at + RECORD_FRAME_COUNT_OFFSET, frameCount);
  writeU32(out, at + RECORD_POSITION_OFFSET, position);
  copyBytes(out, at + RECORD_HEADER_LENGTH, bytes, record + RECORD_HEADER_LENGTH + bodyFrom, bodyTo - bodyFrom);
  const alignedBytes = alignRecord(lengthBytes);
  for (let i = lengthBytes; i < alignedBytes; i++) out[at + i] = 0;
  return alignedBytes;
}

/** End, in the body, of the frame that starts at `start`; the end of the body when the frame does not say so itself. */
function frameEnd(bytes: Uint8Array, body: number, start: number, bodyBytes: number): number {
  if (start + FRAME_HEADER_LENGTH > bodyBytes) return bodyBytes;
  const frame = body + start;
  const groupCount = readU32(bytes, frame + FRAME_GROUP_COUNT_OFFSET);
  const dataBytes = readU32(bytes, frame + FRAME_DATA_LENGTH_OFFSET);
  return Math.min(bodyBytes, start + FRAME_HEADER_LENGTH + groupCount * NAME_FIELD_LENGTH + dataBytes);
}
