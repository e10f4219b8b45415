/**
 * The body of a GREETING, by which two runs prove to each other that they go on. Behind the ring's header:
 *
 *     off size field
 *      0  16   salt of the run that sends it
 *     16   6   its last counter
 *     22   2   flags: 1 asks, 2 answers
 *     24  16   what it asks: to be repeated in the answer; else zeros
 *     40  16   what it answers; else zeros
 */
import { copyBytes, readU16, readU48, writeU16, writeU48 } from '../wire/ring-bytes.ts';
import { RING_HEADER_LENGTH } from '../wire/ring-header.ts';
import { SALT_LENGTH } from './seal-trailer.ts';

export const NONCE_LENGTH = 16;
const GREETING_BODY_LENGTH = 56;
export const GREETING_LENGTH = RING_HEADER_LENGTH + GREETING_BODY_LENGTH;

const AT_LAST_COUNTER = 16;
const AT_FLAGS = 22;
const AT_ASKED = 24;
const AT_ANSWERED = 40;
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

export function encodeGreeting({ salt, counter, asks, answers }: Greeting): Uint8Array {
  const body = new Uint8Array(GREETING_BODY_LENGTH);
  copyBytes(body, 0, salt, 0, SALT_LENGTH);
  writeU48(body, AT_LAST_COUNTER, counter);
  writeU16(body, AT_FLAGS, (asks === null ? 0 : ASKS) | (answers === null ? 0 : ANSWERS));
  if (asks !== null) copyBytes(body, AT_ASKED, asks, 0, NONCE_LENGTH);
  if (answers !== null) copyBytes(body, AT_ANSWERED, answers, 0, NONCE_LENGTH);
  return body;
}

/** Null when `bytes[offset, offset + lengthBytes)`, header and body, is no GREETING. Its parts are copies. */
export function decodeGreeting(bytes: Uint8Array, offset: number, lengthBytes: number): Greeting | null {
  if (lengthBytes !== GREETING_LENGTH) return null;
  const at = offset + RING_HEADER_LENGTH;
  const flags = readU16(bytes, at + AT_FLAGS);
  if (flags === 0 || (flags & ~(ASKS | ANSWERS)) !== 0) return null;
  const part = (from: number): Uint8Array => bytes.slice(at + from, at + from + NONCE_LENGTH);
  return {
    salt: bytes.slice(at, at + SALT_LENGTH),
    counter: readU48(bytes, at + AT_LAST_COUNTER),
    asks: (flags & ASKS) === 0 ? null : part(AT_ASKED),
    answers: (flags & ANSWERS) === 0 ? null : part(AT_ANSWERED),
  };
}
