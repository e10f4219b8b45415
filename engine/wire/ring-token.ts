/**
 * The token (ring-protocol.md, 2.2 and 8.2). Behind the header, little-endian:
 *
 *     hop u48, copy u8, phase u8, seq u48, aru u48, aru holder u16, flow u16, backlog u32, credit u16 u16,
 *     done bitmap (length u16, bits by place in the ring), requests (count u16, then each
 *     {ring ref u8, attempt u8, requester u16, from u48, length u16})
 *
 * `hop` is wider than 8.2 proposes: 32 bits would wrap after days on a fast ring, and its remainder by the ring's size,
 * which tells whose turn it is, would jump. The bitmap's length is wider for rings of more than 2040 daemons.
 *
 * `credit` is the least free delivery budget of the members in packets: of the last whole rotation, and of this one so
 * far, which only the two together tell.
 */
import { readU16, readU32, readU48, writeU16, writeU32, writeU48 } from './ring-bytes.ts';
import { RING_HEADER_LENGTH } from './ring-header.ts';

export const TokenPhase = { Operational: 0, Recover: 1, Install: 2 } as const;
export type TokenPhase = (typeof TokenPhase)[keyof typeof TokenPhase];

/** Requests that one token carries at most; the rest waits for the next rotation. */
const MAX_TOKEN_REQUESTS = 96;
/** Requester of a range that several lack. */
export const REQUESTED_BY_SEVERAL = 0xffff;
export const MAX_CREDIT = 0xffff;

const FIXED_LENGTH = 6 + 1 + 1 + 6 + 6 + 2 + 2 + 4 + 2 + 2;
const REQUEST_LENGTH = 12;

/** A token as read or to be written; reused, its arrays are never replaced. */
export class Token {
  hop = 0;
  copy = 0;
  phase: TokenPhase = TokenPhase.Operational;
  seq = 0;
  aru = 0;
  /** Node index of the member that lowered `aru`. */
  aruHolder = 0;
  flow = 0;
  backlog = 0;
  creditBefore = MAX_CREDIT;
  creditSoFar = MAX_CREDIT;
  readonly done: Uint8Array;
  requestCount = 0;
  readonly requestRef = new Uint8Array(MAX_TOKEN_REQUESTS);
  readonly requestAttempt = new Uint8Array(MAX_TOKEN_REQUESTS);
  readonly requester = new Uint16Array(MAX_TOKEN_REQUESTS);
  readonly requestFrom = new Float64Array(MAX_TOKEN_REQUESTS);
  readonly requestLength = new Uint16Array(MAX_TOKEN_REQUESTS);

  constructor(nodeCount: number) {
    this.done = new Uint8Array((nodeCount + 7) >>> 3);
  }

  /** A new ring's first token. */
  reset(sequence = 0, hop = 0): void {
    this.hop = hop;
    this.copy = 0;
    this.phase = TokenPhase.Recover;
    this.seq = sequence;
    this.aru = sequence;
    this.aruHolder = 0;
    this.flow = 0;
    this.backlog = 0;
    this.creditBefore = MAX_CREDIT;
    this.creditSoFar = MAX_CREDIT;
    this.done.fill(0);
    this.requestCount = 0;
  }

  /** @returns false when the list is full */
  addRequest(ref: number, attempt: number, requester: number, from: number, length: number): boolean {
    const i = this.requestCount;
    if (i === MAX_TOKEN_REQUESTS) return false;
    this.requestRef[i] = ref;
    this.requestAttempt[i] = attempt;
    this.requester[i] = requester;
    this.requestFrom[i] = from;
    this.requestLength[i] = length;
    this.requestCount = i + 1;
    return true;
  }

  /** Takes request `i` off the list; the order of the others stays. */
  removeRequest(i: number): void {
    const last = --this.requestCount;
    this.requestRef.copyWithin(i, i + 1, last + 1);
    this.requestAttempt.copyWithin(i, i + 1, last + 1);
    this.requester.copyWithin(i, i + 1, last + 1);
    this.requestFrom.copyWithin(i, i + 1, last + 1);
    this.requestLength.copyWithin(i, i + 1, last + 1);
  }
}

/** How many requests fit into a token of one datagram. */
export const tokenRequestRoom = (datagramBytes: number, nodeCount: number): number =>
  Math.min(
    MAX_TOKEN_REQUESTS,
    Math.floor((datagramBytes - RING_HEADER_LENGTH - FIXED_LENGTH - 4 - ((nodeCount + 7) >>> 3)) / REQUEST_LENGTH),
  );

/** Writes the body behind the header at `offset`. @returns length with the header */
export function writeToken(bytes: Uint8Array, offset: number, token: Token): number {
  let at = offset + RING_HEADER_LENGTH;
  writeU48(bytes, at, token.hop);
  bytes[at + 6] = token.copy;
  bytes[at + 7] = token.phase;
  writeU48(bytes, at + 8, token.seq);
  writeU48(bytes, at + 14, token.aru);
  writeU16(bytes, at + 20, token.aruHolder);
  writeU16(bytes, at + 22, token.flow);
  writeU32(bytes, at + 24, token.backlog);
  writeU16(bytes, at + 28, token.creditBefore);
  writeU16(bytes, at + 30, token.creditSoFar);
  at += FIXED_LENGTH;
  writeU16(bytes, at, token.done.length);
  at += 2;
  for (let i = 0; i < token.done.length; i++) bytes[at++] = token.done[i]!;
  writeU16(bytes, at, token.requestCount);
  at += 2;
  for (let i = 0; i < token.requestCount; i++) {
    bytes[at] = token.requestRef[i]!;
    bytes[at + 1] = token.requestAttempt[i]!;
    writeU16(bytes, at + 2, token.requester[i]!);
    writeU48(bytes, at + 4, token.requestFrom[i]!);
    writeU16(bytes, at + 10, token.requestLength[i]!);
    at += REQUEST_LENGTH;
  }
  return at - offset;
}

/** @returns false when the body is malformed; `token` is then undefined */
export function readToken(token: Token, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
  const end = offset + lengthBytes;
  let at = offset + RING_HEADER_LENGTH;
  if (at + FIXED_LENGTH + 2 > end) return false;
  token.hop = readU48(bytes, at);
  token.copy = bytes[at + 6]!;
  const phase = bytes[at + 7]!;
  if (phase > TokenPhase.Install) return false;
  token.phase = phase as TokenPhase;
  token.seq = readU48(bytes, at + 8);
  token.aru = readU48(bytes, at + 14);
  token.aruHolder = readU16(bytes, at + 20);
  token.flow = readU16(bytes, at + 22);
  token.backlog = readU32(bytes, at + 24);
  token.creditBefore = readU16(bytes, at + 28);
  token.creditSoFar = readU16(bytes, at + 30);
  at += FIXED_LENGTH;
  if (readU16(bytes, at) !== token.done.length) return false;
  at += 2;
  if (at + token.done.length + 2 > end) return false;
  for (let i = 0; i < token.done.length; i++) token.done[i] = bytes[at++]!;
  const count = readU16(bytes, at);
  at += 2;
  if (count > MAX_TOKEN_REQUESTS || at + count * REQUEST_LENGTH !== end) return false;
  token.requestCount = count;
  for (let i = 0; i < count; i++) {
    token.requestRef[i] = bytes[at]!;
    token.requestAttempt[i] = bytes[at + 1]!;
    token.requester[i] = readU16(bytes, at + 2);
    token.requestFrom[i] = readU48(bytes, at + 4);
    token.requestLength[i] = readU16(bytes, at + 10);
    at += REQUEST_LENGTH;
  }
  return token.aru <= token.seq;
}

export const isDone = (done: Uint8Array, place: number): boolean => (done[place >>> 3]! & (1 << (place & 7))) !== 0;

export function setDone(done: Uint8Array, place: number): void {
  done[place >>> 3] = done[place >>> 3]! | (1 << (place & 7));
}
