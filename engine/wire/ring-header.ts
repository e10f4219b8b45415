/** Writer and reader of the header of datagrams between daemons (layout/ring-header.ts; ring-protocol.md, 8.2), and what is in it. */

import { type Incarnation, incarnation, type NodeIndex, nodeIndex } from './ids.ts';
import {
  RING_HEADER_CLUSTER_OFFSET,
  RING_HEADER_COUNTER_OFFSET,
  RING_HEADER_FLAGS_OFFSET,
  RING_HEADER_INCARNATION_OFFSET,
  RING_HEADER_LENGTH,
  RING_HEADER_LENGTH_OFFSET,
  RING_HEADER_MAGIC_OFFSET,
  RING_HEADER_ORIGIN_OFFSET,
  RING_HEADER_PART_COUNT_OFFSET,
  RING_HEADER_PART_INDEX_OFFSET,
  RING_HEADER_RING_LEADER_INCARNATION_OFFSET,
  RING_HEADER_RING_LEADER_OFFSET,
  RING_HEADER_RING_SEQ_OFFSET,
  RING_HEADER_TRANSMITTER_OFFSET,
  RING_HEADER_TYPE_OFFSET,
  RING_HEADER_VERSION_OFFSET,
} from './layout/ring-header.ts';
import {
  RING_ID_LEADER_INCARNATION_OFFSET,
  RING_ID_LEADER_OFFSET,
  RING_ID_LENGTH,
  RING_ID_SEQ_OFFSET,
} from './layout/ring-id.ts';
import { copyBytes, readU16, readU32, readU48, writeU16, writeU32, writeU48 } from './ring-bytes.ts';
import { RING_WIRE_VERSION } from './ring-version.ts';

/** `RNG1` as the bytes are on the wire. */
export const RING_MAGIC = 0x3147_4e52;

export const PacketType = {
  Data: 1,
  Token: 2,
  Join: 3,
  Commit: 4,
  Probe: 5,
  ProbeAck: 6,
  Hurry: 7,
  Leave: 8,
  Merge: 9,
  /** As long as its sender would like to send DATA; answered by SIZE_ACK (engine/ring/path-size.ts). */
  SizeProbe: 10,
  SizeAck: 11,
  SizeReady: 12,
  SizeWithdrawn: 13,
  /**
   * Of sealed traffic: incarnations prove to each other that they are live (engine/membership/incarnation-proofs.ts). 14 to 16 are kept for
   * other things.
   */
  Greeting: 17,
  /** "A later incarnation of you is remembered" (engine/membership/incarnation-refusals.ts). */
  IncarnationRefused: 18,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** Sent after the token of its round (2.4). */
export const FLAG_POST_TOKEN = 0x0001;
export const FLAG_RETRANSMISSION = 0x0002;
/** On a PROBE: handed to the leader by a member that got it. */
export const FLAG_FORWARDED = 0x0004;
/** On a SIZE_READY: to be answered by one. */
export const FLAG_ASKS = 0x0008;
const MUST_UNDERSTAND = 0xff00;

/** Identity of a ring; layout/ring-id.ts when it travels in full. */
export interface RingId {
  readonly seq: number;
  readonly leader: NodeIndex;
  readonly leaderIncarnation: Incarnation;
}

export const NO_RING: RingId = { seq: 0, leader: nodeIndex(0), leaderIncarnation: incarnation(0) };

export const sameRing = (a: RingId, b: RingId): boolean =>
  a.seq === b.seq && a.leader === b.leader && a.leaderIncarnation === b.leaderIncarnation;

export function writeRingId(bytes: Uint8Array, at: number, ring: RingId): void {
  bytes.fill(0, at, at + RING_ID_LENGTH);
  writeU32(bytes, at + RING_ID_SEQ_OFFSET, ring.seq);
  writeU16(bytes, at + RING_ID_LEADER_OFFSET, ring.leader);
  writeU48(bytes, at + RING_ID_LEADER_INCARNATION_OFFSET, ring.leaderIncarnation);
}

export const readRingId = (bytes: Uint8Array, at: number): RingId => ({
  seq: readU32(bytes, at + RING_ID_SEQ_OFFSET),
  leader: nodeIndex(readU16(bytes, at + RING_ID_LEADER_OFFSET)),
  leaderIncarnation: incarnation(readU48(bytes, at + RING_ID_LEADER_INCARNATION_OFFSET)),
});

/** Cluster id and configuration hash (16 bytes) folded to the 32 bits every header carries. */
export function foldHash(hash: Uint8Array): number {
  let folded = 0;
  for (let at = 0; at + 4 <= hash.length; at += 4) folded ^= readU32(hash, at);
  return folded >>> 0;
}

/** A header as read; one object is reused for every datagram. */
export class RingHeader {
  type = 0;
  flags = 0;
  origin = 0;
  relay = 0;
  partIndex = 0;
  partCount = 0;
  incarnation = 0;
  cluster = 0;
  ringSeq = 0;
  ringLeader = 0;
  /** Lowest 16 bits of the leader's incarnation. */
  ringLeaderIncarnation = 0;
}

/** The short form of a ring id in a header names this ring. */
export const isHeaderOfRing = (header: RingHeader, ring: RingId): boolean =>
  header.ringSeq === ring.seq &&
  header.ringLeader === ring.leader &&
  header.ringLeaderIncarnation === ring.leaderIncarnation % 0x1_0000;

export type HeaderFault = 'ok' | 'malformed' | 'foreign';

/**
 * Reads and checks the header of a datagram of `RING_WIRE_VERSION` whose trailer is off already.
 * @returns `malformed` for what is not of this protocol, `foreign` for another cluster or configuration
 */
export function readRingHeader(
  header: RingHeader,
  bytes: Uint8Array,
  offset: number,
  lengthBytes: number,
  cluster: number,
): HeaderFault {
  if (lengthBytes < RING_HEADER_LENGTH || readU32(bytes, offset + RING_HEADER_MAGIC_OFFSET) !== RING_MAGIC)
    return 'malformed';
  if (readU16(bytes, offset + RING_HEADER_LENGTH_OFFSET) !== lengthBytes) return 'malformed';
  header.flags = readU16(bytes, offset + RING_HEADER_FLAGS_OFFSET);
  if ((header.flags & MUST_UNDERSTAND) !== 0) return 'malformed';
  header.cluster = readU32(bytes, offset + RING_HEADER_CLUSTER_OFFSET);
  if (header.cluster !== cluster) return 'foreign';
  header.type = bytes[offset + RING_HEADER_TYPE_OFFSET]!;
  header.origin = readU16(bytes, offset + RING_HEADER_ORIGIN_OFFSET);
  header.relay = readU16(bytes, offset + RING_HEADER_TRANSMITTER_OFFSET);
  header.partIndex = bytes[offset + RING_HEADER_PART_INDEX_OFFSET]!;
  header.partCount = bytes[offset + RING_HEADER_PART_COUNT_OFFSET]!;
  header.incarnation = readU48(bytes, offset + RING_HEADER_INCARNATION_OFFSET);
  header.ringSeq = readU32(bytes, offset + RING_HEADER_RING_SEQ_OFFSET);
  header.ringLeader = readU16(bytes, offset + RING_HEADER_RING_LEADER_OFFSET);
  header.ringLeaderIncarnation = readU16(bytes, offset + RING_HEADER_RING_LEADER_INCARNATION_OFFSET);
  return 'ok';
}

/** The part of a header that is the same in everything one daemon sends. */
export class RingHeaderWriter {
  readonly #template = new Uint8Array(RING_HEADER_LENGTH);
  #counter = 0;

  constructor(self: NodeIndex, selfIncarnation: Incarnation, cluster: number) {
    const template = this.#template;
    writeU32(template, RING_HEADER_MAGIC_OFFSET, RING_MAGIC);
    template[RING_HEADER_VERSION_OFFSET] = RING_WIRE_VERSION;
    writeU16(template, RING_HEADER_ORIGIN_OFFSET, self);
    writeU16(template, RING_HEADER_TRANSMITTER_OFFSET, self);
    template[RING_HEADER_PART_COUNT_OFFSET] = 1;
    writeU48(template, RING_HEADER_INCARNATION_OFFSET, selfIncarnation);
    writeU32(template, RING_HEADER_CLUSTER_OFFSET, cluster);
  }

  /** Writes a header at `offset` for a datagram of `lengthBytes` (trailer not counted) on `ring`. */
  write(bytes: Uint8Array, offset: number, type: PacketType, flags: number, lengthBytes: number, ring: RingId): void {
    copyBytes(bytes, offset, this.#template, 0, RING_HEADER_LENGTH);
    bytes[offset + RING_HEADER_TYPE_OFFSET] = type;
    writeU16(bytes, offset + RING_HEADER_FLAGS_OFFSET, flags);
    writeU16(bytes, offset + RING_HEADER_LENGTH_OFFSET, lengthBytes);
    writeU32(bytes, offset + RING_HEADER_COUNTER_OFFSET, this.#counter);
    this.#counter = (this.#counter + 1) >>> 0;
    writeU32(bytes, offset + RING_HEADER_RING_SEQ_OFFSET, ring.seq);
    writeU16(bytes, offset + RING_HEADER_RING_LEADER_OFFSET, ring.leader);
    writeU16(bytes, offset + RING_HEADER_RING_LEADER_INCARNATION_OFFSET, ring.leaderIncarnation % 0x1_0000);
  }
}

export function writeOrigin(bytes: Uint8Array, offset: number, origin: number): void {
  writeU16(bytes, offset + RING_HEADER_ORIGIN_OFFSET, origin);
}

export function writePart(bytes: Uint8Array, offset: number, index: number, count: number): void {
  bytes[offset + RING_HEADER_PART_INDEX_OFFSET] = index;
  bytes[offset + RING_HEADER_PART_COUNT_OFFSET] = count;
}
