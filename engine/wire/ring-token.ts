/**
 * The token (layout/token-packet.ts, layout/token-request.ts; ring-protocol.md, 2.2 and 8.2).
 *
 * `hop` has 48 bits: 32 would wrap after days on a fast ring, and its remainder by the ring's size, which gives the member whose turn it
 * is, would jump.
 *
 * `credit` is the least free delivery budget of the members in packets: of the last whole rotation, and of this one so
 * far, which only the two together tell.
 */

import {
  TOKEN_ARU_HOLDER_OFFSET,
  TOKEN_ARU_OFFSET,
  TOKEN_BACKLOG_OFFSET,
  TOKEN_COPY_OFFSET,
  TOKEN_CREDIT_BEFORE_OFFSET,
  TOKEN_CREDIT_SO_FAR_OFFSET,
  TOKEN_DONE_LENGTH_OFFSET,
  TOKEN_DONE_OFFSET,
  TOKEN_FIXED_LENGTH,
  TOKEN_FLOW_OFFSET,
  TOKEN_HOP_OFFSET,
  TOKEN_PHASE_OFFSET,
  TOKEN_SEQUENCE_OFFSET,
} from './layout/token-packet.ts';
import {
  TOKEN_REQUEST_ATTEMPT_OFFSET,
  TOKEN_REQUEST_COUNT_OFFSET,
  TOKEN_REQUEST_FROM_OFFSET,
  TOKEN_REQUEST_LENGTH,
  TOKEN_REQUEST_REF_OFFSET,
  TOKEN_REQUEST_REQUESTER_OFFSET,
} from './layout/token-request.ts';
import { readU16, readU32, readU48, writeU16, writeU32, writeU48 } from './ring-bytes.ts';

export const TokenPhase = { Operational: 0, Recover: 1, Install: 2 } as const;
export type TokenPhase = (typeof TokenPhase)[keyof typeof TokenPhase];

/** Requests that one token carries at most; the rest waits for the next rotation. */
const MAX_TOKEN_REQUESTS = 96;
/** Requester of a range that several lack. */
export const REQUESTED_BY_SEVERAL = 0xffff;
export const MAX_CREDIT = 0xffff;

/** In front of the requests, behind the bitmap. */
const REQUEST_COUNT_LENGTH = 2;

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
    Math.floor(
      (datagramBytes - TOKEN_FIXED_LENGTH - ((nodeCount + 7) >>> 3) - REQUEST_COUNT_LENGTH) / TOKEN_REQUEST_LENGTH,
    ),
  );

/** Writes the body behind the header at `offset`. @returns length with the header */
export function writeToken(bytes: Uint8Array, offset: number, token: Token): number {
  writeU48(bytes, offset + TOKEN_HOP_OFFSET, token.hop);
  bytes[offset + TOKEN_COPY_OFFSET] = token.copy;
  bytes[offset + TOKEN_PHASE_OFFSET] = token.phase;
  writeU48(bytes, offset + TOKEN_SEQUENCE_OFFSET, token.seq);
  writeU48(bytes, offset + TOKEN_ARU_OFFSET, token.aru);
  writeU16(bytes, offset + TOKEN_ARU_HOLDER_OFFSET, token.aruHolder);
  writeU16(bytes, offset + TOKEN_FLOW_OFFSET, token.flow);
  writeU32(bytes, offset + TOKEN_BACKLOG_OFFSET, token.backlog);
  writeU16(bytes, offset + TOKEN_CREDIT_BEFORE_OFFSET, token.creditBefore);
  writeU16(bytes, offset + TOKEN_CREDIT_SO_FAR_OFFSET, token.creditSoFar);
  writeU16(bytes, offset + TOKEN_DONE_LENGTH_OFFSET, token.done.length);
  let at = offset + TOKEN_DONE_OFFSET;
  for (let i = 0; i < token.done.length; i++) bytes[at++] = token.done[i]!;
  writeU16(bytes, at, token.requestCount);
  at += REQUEST_COUNT_LENGTH;
  for (let i = 0; i < token.requestCount; i++) {
    bytes[at + TOKEN_REQUEST_REF_OFFSET] = token.requestRef[i]!;
    bytes[at + TOKEN_REQUEST_ATTEMPT_OFFSET] = token.requestAttempt[i]!;
    writeU16(bytes, at + TOKEN_REQUEST_REQUESTER_OFFSET, token.requester[i]!);
    writeU48(bytes, at + TOKEN_REQUEST_FROM_OFFSET, token.requestFrom[i]!);
    writeU16(bytes, at + TOKEN_REQUEST_COUNT_OFFSET, token.requestLength[i]!);
    at += TOKEN_REQUEST_LENGTH;
  }
  return at - offset;
}

/** @returns false when the body is malformed; `token` is then undefined */
export function readToken(token: Token, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
  const end = offset + lengthBytes;
  if (TOKEN_FIXED_LENGTH > lengthBytes) return false;
  token.hop = readU48(bytes, offset + TOKEN_HOP_OFFSET);
  token.copy = bytes[offset + TOKEN_COPY_OFFSET]!;
  const phase = bytes[offset + TOKEN_PHASE_OFFSET]!;
  if (phase > TokenPhase.Install) return false;
  token.phase = phase as TokenPhase;
  token.seq = readU48(bytes, offset + TOKEN_SEQUENCE_OFFSET);
  token.aru = readU48(bytes, offset + TOKEN_ARU_OFFSET);
  token.aruHolder = readU16(bytes, offset + TOKEN_ARU_HOLDER_OFFSET);
  token.flow = readU16(bytes, offset + TOKEN_FLOW_OFFSET);
  token.backlog = readU32(bytes, offset + TOKEN_BACKLOG_OFFSET);
  token.creditBefore = readU16(bytes, offset + TOKEN_CREDIT_BEFORE_OFFSET);
  token.creditSoFar = readU16(bytes, offset + TOKEN_CREDIT_SO_FAR_OFFSET);
  if (readU16(bytes, offset + TOKEN_DONE_LENGTH_OFFSET) !== token.done.length) return false;
  let at = offset + TOKEN_DONE_OFFSET;
  if (at + token.done.length + REQUEST_COUNT_LENGTH > end) return false;
  for (let i = 0; i < token.done.length; i++) token.done[i] = bytes[at++]!;
  const count = readU16(bytes, at);
  at += REQUEST_COUNT_LENGTH;
  if (count > MAX_TOKEN_REQUESTS || at + count * TOKEN_REQUEST_LENGTH !== end) return false;
  token.requestCount = count;
  for (let i = 0; i < count; i++) {
    token.requestRef[i] = bytes[at + TOKEN_REQUEST_REF_OFFSET]!;
    token.requestAttempt[i] = bytes[at + TOKEN_REQUEST_ATTEMPT_OFFSET]!;
    token.requester[i] = readU16(bytes, at + TOKEN_REQUEST_REQUESTER_OFFSET);
    token.requestFrom[i] = readU48(bytes, at + TOKEN_REQUEST_FROM_OFFSET);
    token.requestLength[i] = readU16(bytes, at + TOKEN_REQUEST_COUNT_OFFSET);
    at += TOKEN_REQUEST_LENGTH;
  }
  return token.aru <= token.seq;
}

export const isDone = (done: Uint8Array, place: number): boolean => (done[place >>> 3]! & (1 << (place & 7))) !== 0;

export function setDone(done: Uint8Array, place: number): void {
  done[place >>> 3] = done[place >>> 3]! | (1 << (place & 7));
}
