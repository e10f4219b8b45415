/** A GREETING, by which two incarnations prove to each other that they are live (layout/greeting-packet.ts; ring-protocol.md, 8.3). */
import {
  GREETING_ANSWERED_OFFSET,
  GREETING_ASKED_OFFSET,
  GREETING_FLAGS_OFFSET,
  GREETING_LAST_COUNTER_OFFSET,
  GREETING_LENGTH,
  GREETING_SALT_OFFSET,
} from '../wire/layout/greeting-packet.ts';
import { RING_HEADER_LENGTH } from '../wire/layout/ring-header.ts';
import { copyBytes, readU16, readU48, writeU16, writeU48 } from '../wire/ring-bytes.ts';
import { SALT_LENGTH } from './seal-trailer.ts';

export const NONCE_LENGTH = 16;
const ASKS = 1;
const ANSWERS = 2;

export interface Greeting {
  readonly salt: Uint8Array;
  readonly counter: number;
  /** Null: it asks nothing. */
  readonly asks: Uint8Array | null;
  /** Null: it answers nothing. */
  readonly answers: Uint8Array | null;
}

/** The body, behind the ring's header. */
export function encodeGreeting({ salt, counter, asks, answers }: Greeting): Uint8Array {
  const body = new Uint8Array(GREETING_LENGTH - RING_HEADER_LENGTH);
  copyBytes(body, GREETING_SALT_OFFSET - RING_HEADER_LENGTH, salt, 0, SALT_LENGTH);
  writeU48(body, GREETING_LAST_COUNTER_OFFSET - RING_HEADER_LENGTH, counter);
  const flags = (asks === null ? 0 : ASKS) | (answers === null ? 0 : ANSWERS);
  writeU16(body, GREETING_FLAGS_OFFSET - RING_HEADER_LENGTH, flags);
  if (asks !== null) copyBytes(body, GREETING_ASKED_OFFSET - RING_HEADER_LENGTH, asks, 0, NONCE_LENGTH);
  if (answers !== null) copyBytes(body, GREETING_ANSWERED_OFFSET - RING_HEADER_LENGTH, answers, 0, NONCE_LENGTH);
  return body;
}

/** Null when `bytes[offset, offset + lengthBytes)`, header and body, is no GREETING. Its parts are copies. */
export function decodeGreeting(bytes: Uint8Array, offset: number, lengthBytes: number): Greeting | null {
  if (lengthBytes !== GREETING_LENGTH) return null;
  const flags = readU16(bytes, offset + GREETING_FLAGS_OFFSET);
  if (flags === 0 || (flags & ~(ASKS | ANSWERS)) !== 0) return null;
  const part = (from: number): Uint8Array => bytes.slice(offset + from, offset + from + NONCE_LENGTH);
  return {
    salt: bytes.slice(offset + GREETING_SALT_OFFSET, offset + GREETING_SALT_OFFSET + SALT_LENGTH),
    counter: readU48(bytes, offset + GREETING_LAST_COUNTER_OFFSET),
    asks: (flags & ASKS) === 0 ? null : part(GREETING_ASKED_OFFSET),
    answers: (flags & ANSWERS) === 0 ? null : part(GREETING_ANSWERED_OFFSET),
  };
}
