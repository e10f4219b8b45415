/** Puts control messages of several datagrams together; an incomplete one is replaced by the next. */

import { CONTROL_HEADER_LENGTH, CONTROL_NUMBER_OFFSET } from '../wire/layout/control-header.ts';
import { readU32 } from '../wire/ring-bytes.ts';
import type { RingHeader } from '../wire/ring-header.ts';

/** A COMMIT of 128 daemons from as many rings takes a third of it. What a daemon sends beyond is dropped. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

interface PartialMessage {
  readonly number: number;
  lengthBytes: number;
  readonly parts: (Uint8Array | null)[];
  left: number;
}

export interface ControlBody {
  bytes: Uint8Array;
  offset: number;
  lengthBytes: number;
}

export class ControlInbox {
  readonly #partial = new Map<number, PartialMessage>();
  readonly #body: ControlBody = { bytes: new Uint8Array(0), offset: 0, lengthBytes: 0 };

  /**
   * Takes one datagram (trailer off). @returns the body when its message is complete, valid until the next call; null
   * while parts are missing; undefined when it is malformed
   */
  accept(
    header: RingHeader,
    bytes: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): Readonly<ControlBody> | null | undefined {
    const { partIndex, partCount } = header;
    if (lengthBytes < CONTROL_HEADER_LENGTH || partIndex >= partCount) return undefined;
    const body = this.#body;
    if (partCount === 1) {
      body.bytes = bytes;
      body.offset = offset + CONTROL_HEADER_LENGTH;
      body.lengthBytes = lengthBytes - CONTROL_HEADER_LENGTH;
      return body;
    }
    const number = readU32(bytes, offset + CONTROL_NUMBER_OFFSET);
    const key = header.relay * 256 + header.type;
    let partial = this.#partial.get(key);
    if (partial === undefined || partial.number !== number || partial.parts.length !== partCount) {
      partial = { number, lengthBytes: 0, parts: Array.from({ length: partCount }, () => null), left: partCount };
      this.#partial.set(key, partial);
    }
    if (partial.parts[partIndex] !== null) return null;
    partial.lengthBytes += lengthBytes - CONTROL_HEADER_LENGTH;
    if (partial.lengthBytes > MAX_MESSAGE_BYTES) {
      this.#partial.delete(key);
      return undefined;
    }
    partial.parts[partIndex] = bytes.slice(offset + CONTROL_HEADER_LENGTH, offset + lengthBytes);
    if (--partial.left > 0) return null;
    this.#partial.delete(key);
    let total = 0;
    for (const part of partial.parts) total += part!.length;
    const whole = new Uint8Array(total);
    let at = 0;
    for (const part of partial.parts) {
      whole.set(part!, at);
      at += part!.length;
    }
    body.bytes = whole;
    body.offset = 0;
    body.lengthBytes = total;
    return body;
  }
}
