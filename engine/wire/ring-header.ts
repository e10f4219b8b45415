/**
 * The 40 bytes that begin every datagram between daemons (ring-protocol.md, 8.2), little-endian:
 *
 *     off size field
 *      0   4   magic 52 4E 47 31
 *      4   1   wire version
 *      5   1   PacketType
 *      6   2   flags: low byte may be ignored, high byte must be understood
 *      8   2   total length, without the trailer
 *     10   2   origin node index
 *     12   2   relay (transmitter) node index
 *     14   2   part of a control message: index in the high byte, count in the low
 *     16   8   incarnation of the transmitter (48 bits)
 *     24   4   cluster id and configuration hash, folded
 *     28   4   packet counter of the transmitter
 *     32   8   ring: sequence u32, leader u16, leader incarnation low 16
 */
import { type Incarnation, incarnation, type NodeIndex, nodeIndex } from './ids.ts';
import { copyBytes, readU16, readU32, readU48, writeU16, writeU32, writeU48 } from './ring-bytes.ts';

export const RING_HEADER_LENGTH = 40;
export const RING_WIRE_VERSION = 1;
/** `RNG1` as the bytes are on the wire. */
const MAGIC = 0x3147_4e52;

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
  /** Of sealed traffic: runs prove to each other that they go on (engine/membership/greeter.ts). 14 to 16 are kept for other things. */
  Greeting: 17,
  /** "A later run of you is remembered" (engine/membership/run-refusals.ts). */
  RunRefused: 18,
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

export const AT_VERSION = 4;
export const AT_TYPE = 5;
const AT_FLAGS = 6;
/** Total length, without the trailer. */
export const AT_LENGTH = 8;
const AT_ORIGIN = 10;
/** Node index of the daemon that sent the datagram. */
export const AT_TRANSMITTER = 12;
const AT_PART = 14;
export const AT_INCARNATION = 16;
export const AT_CLUSTER = 24;
const AT_COUNTER = 28;
const AT_RING = 32;

/** Identity of a ring, in full 16 bytes on the wire: seq u32, leader u16, leader incarnation u48, zero u32. */
export interface RingId {
  readonly seq: number;
  readonly leader: NodeIndex;
  readonly leaderIncarnation: Incarnation;
}

export const RING_ID_LENGTH = 16;

export const NO_RING: RingId = { seq: 0, leader: nodeIndex(0), leaderIncarnation: incarnation(0) };

export const sameRing = (a: RingId, b: RingId): boolean =>
  a.seq === b.seq && a.leader === b.leader && a.leaderIncarnation === b.leaderIncarnation;

export function writeRingId(bytes: Uint8Array, at: number, ring: RingId): void {
  writeU32(bytes, at, ring.seq);
  writeU16(bytes, at + 4, ring.leader);
  writeU48(bytes, at + 6, ring.leaderIncarnation);
  writeU32(bytes, at + 12, 0);
}

export const readRingId = (bytes: Uint8Array, at: number): RingId => ({
  seq: readU32(bytes, at),
  leader: nodeIndex(readU16(bytes, at + 4)),
  leaderIncarnation: incarnation(readU48(bytes, at + 6)),
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
 * Reads and checks the header of a datagram whose trailer is off already.
 * @returns `malformed` for what is not of this protocol, `foreign` for another cluster or configuration
 */
export function readRingHeader(
  header: RingHeader,
  bytes: Uint8Array,
  offset: number,
  lengthBytes: number,
  cluster: number,
): HeaderFault {
  if (lengthBytes < RING_HEADER_LENGTH || readU32(bytes, offset) !== MAGIC) return 'malformed';
  if (bytes[offset + AT_VERSION] !== RING_WIRE_VERSION) return 'malformed';
  if (readU16(bytes, offset + AT_LENGTH) !== lengthBytes) return 'malformed';
  header.flags = readU16(bytes, offset + AT_FLAGS);
  if ((header.flags & MUST_UNDERSTAND) !== 0) return 'malformed';
  header.cluster = readU32(bytes, offset + AT_CLUSTER);
  if (header.cluster !== cluster) return 'foreign';
  header.type = bytes[offset + AT_TYPE]!;
  header.origin = readU16(bytes, offset + AT_ORIGIN);
  header.relay = readU16(bytes, offset + AT_TRANSMITTER);
  const part = readU16(bytes, offset + AT_PART);
  header.partIndex = part >>> 8;
  header.partCount = part & 0xff;
  header.incarnation = readU48(bytes, offset + AT_INCARNATION);
  header.ringSeq = readU32(bytes, offset + AT_RING);
  header.ringLeader = readU16(bytes, offset + AT_RING + 4);
  header.ringLeaderIncarnation = readU16(bytes, offset + AT_RING + 6);
  return 'ok';
}

/** The part of a header that is the same in everything one daemon sends. */
export class RingHeaderWriter {
  readonly #template = new Uint8Array(RING_HEADER_LENGTH);
  #counter = 0;

  constructor(self: NodeIndex, selfIncarnation: Incarnation, cluster: number) {
    const template = this.#template;
    writeU32(template, 0, MAGIC);
    template[AT_VERSION] = RING_WIRE_VERSION;
    writeU16(template, AT_ORIGIN, self);
    writeU16(template, AT_TRANSMITTER, self);
    writeU16(template, AT_PART, 1);
    writeU48(template, AT_INCARNATION, selfIncarnation);
    writeU32(template, AT_CLUSTER, cluster);
  }

  /** Writes a header at `offset` for a datagram of `lengthBytes` (trailer not counted) on `ring`. */
  write(bytes: Uint8Array, offset: number, type: PacketType, flags: number, lengthBytes: number, ring: RingId): void {
    copyBytes(bytes, offset, this.#template, 0, RING_HEADER_LENGTH);
    bytes[offset + AT_TYPE] = type;
    writeU16(bytes, offset + AT_FLAGS, flags);
    writeU16(bytes, offset + AT_LENGTH, lengthBytes);
    writeU32(bytes, offset + AT_COUNTER, this.#counter);
    this.#counter = (this.#counter + 1) >>> 0;
    writeU32(bytes, offset + AT_RING, ring.seq);
    writeU16(bytes, offset + AT_RING + 4, ring.leader);
    writeU16(bytes, offset + AT_RING + 6, ring.leaderIncarnation % 0x1_0000);
  }
}

export function writeOrigin(bytes: Uint8Array, offset: number, origin: number): void {
  writeU16(bytes, offset + AT_ORIGIN, origin);
}

export function writePart(bytes: Uint8Array, offset: number, index: number, count: number): void {
  writeU16(bytes, offset + AT_PART, (index << 8) | count);
}

/** DATA: header, sequence number u48, round u16, records. */
export const AT_DATA_SEQUENCE = RING_HEADER_LENGTH;
export const AT_DATA_ROUND = RING_HEADER_LENGTH + 6;
export const DATA_HEADER_LENGTH = RING_HEADER_LENGTH + 8;
