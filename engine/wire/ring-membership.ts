/**
 * Bodies of the messages of daemon membership (ring-protocol.md, 3.4, 3.5 and 8.2). All begin with the 128-bit hash of
 * cluster and configuration. Decoders give null for anything malformed.
 */

import { incarnation, type NodeIndex } from './ids.ts';
import {
  COMMIT_BLOCK_FIXED_LENGTH,
  COMMIT_BLOCK_HIGH_OFFSET,
  COMMIT_BLOCK_MISSING_LENGTH_OFFSET,
  COMMIT_BLOCK_OLD_RING_OFFSET,
  COMMIT_BLOCK_STABLE_OFFSET,
} from './layout/commit-block.ts';
import {
  COMMIT_FIXED_LENGTH,
  COMMIT_HASH_OFFSET,
  COMMIT_MEMBER_COUNT_OFFSET,
  COMMIT_PASS_OFFSET,
  COMMIT_RING_OFFSET,
} from './layout/commit-body.ts';
import {
  COMMIT_MEMBER_ATTEMPT_OFFSET,
  COMMIT_MEMBER_BLOCK_OFFSET,
  COMMIT_MEMBER_LENGTH,
} from './layout/commit-member.ts';
import {
  JOIN_ATTEMPT_OFFSET,
  JOIN_FIXED_LENGTH,
  JOIN_HASH_OFFSET,
  JOIN_MAX_RING_SEQ_OFFSET,
  JOIN_MERGE_COUNT_OFFSET,
  JOIN_OLD_RING_OFFSET,
} from './layout/join-body.ts';
import {
  PROBE_FIXED_LENGTH,
  PROBE_HASH_OFFSET,
  PROBE_MEMBER_COUNT_OFFSET,
  PROBE_NONCE_OFFSET,
  PROBE_RING_OFFSET,
  PROBE_TARGET_OFFSET,
} from './layout/probe-body.ts';
import type { BodyReader, BodyWriter, RingMember } from './ring-body.ts';
import { readU16, readU32, readU48, writeU16, writeU32, writeU48 } from './ring-bytes.ts';
import { type RingId, readRingId, writeRingId } from './ring-header.ts';

/** "I gather; these I hear." */
export interface JoinMessage {
  /** Number of the sender's gather; rises. */
  readonly attempt: number;
  /** Highest ring sequence number the sender knows of. */
  readonly maxRingSeq: number;
  /** The ring it is, or was, in. */
  readonly oldRing: RingId;
  /** Rings it wants to merge with; their members gather when they are told. */
  readonly merge: readonly RingId[];
  /** Members of `oldRing` that are to be left out because they stopped receiving. */
  readonly failed: readonly NodeIndex[];
  /** Daemons whose JOIN it got in this attempt, and itself. */
  readonly hears: readonly RingMember[];
}

export function encodeJoin(writer: BodyWriter, hash: Uint8Array, join: JoinMessage): void {
  const at = writer.fixed(JOIN_FIXED_LENGTH);
  const { bytes } = writer;
  bytes.set(hash, at + JOIN_HASH_OFFSET);
  writeU32(bytes, at + JOIN_ATTEMPT_OFFSET, join.attempt);
  writeU32(bytes, at + JOIN_MAX_RING_SEQ_OFFSET, join.maxRingSeq);
  writeRingId(bytes, at + JOIN_OLD_RING_OFFSET, join.oldRing);
  bytes[at + JOIN_MERGE_COUNT_OFFSET] = join.merge.length;
  for (const ring of join.merge) writer.ringId(ring);
  writer.nodes(join.failed);
  writer.members(join.hears);
}

/** The caller has checked the hash. */
export function decodeJoin(reader: BodyReader, nodeCount: number): JoinMessage | null {
  const at = reader.head(JOIN_FIXED_LENGTH);
  if (at < 0) return null;
  const { bytes } = reader;
  const attempt = readU32(bytes, at + JOIN_ATTEMPT_OFFSET);
  const maxRingSeq = readU32(bytes, at + JOIN_MAX_RING_SEQ_OFFSET);
  const oldRing = readRingId(bytes, at + JOIN_OLD_RING_OFFSET);
  const merge: RingId[] = [];
  for (let left = bytes[at + JOIN_MERGE_COUNT_OFFSET]!; reader.ok && left > 0; left--) merge.push(reader.ringId());
  const failed = reader.nodes(nodeCount);
  const hears = reader.members(nodeCount);
  return reader.complete ? { attempt, maxRingSeq, oldRing, merge, failed, hears } : null;
}

/** PROBE, PROBE_ACK and MERGE: "this is my ring". */
export interface ProbeMessage {
  readonly ring: RingId;
  /** PROBE_ACK, MERGE: the ring of the daemon it is sent to. */
  readonly target: RingId;
  readonly members: readonly RingMember[];
  /** Chosen by the prober, repeated in the answer. */
  readonly nonce: number;
}

export function encodeProbe(writer: BodyWriter, hash: Uint8Array, probe: ProbeMessage): void {
  const at = writer.fixed(PROBE_FIXED_LENGTH);
  const { bytes } = writer;
  bytes.set(hash, at + PROBE_HASH_OFFSET);
  writeRingId(bytes, at + PROBE_RING_OFFSET, probe.ring);
  writeRingId(bytes, at + PROBE_TARGET_OFFSET, probe.target);
  writeU32(bytes, at + PROBE_NONCE_OFFSET, probe.nonce);
  writeU16(bytes, at + PROBE_MEMBER_COUNT_OFFSET, probe.members.length);
  for (const member of probe.members) writer.member(member);
}

/** The caller has checked the hash. */
export function decodeProbe(reader: BodyReader, nodeCount: number): ProbeMessage | null {
  const at = reader.head(PROBE_FIXED_LENGTH);
  if (at < 0) return null;
  const { bytes } = reader;
  const ring = readRingId(bytes, at + PROBE_RING_OFFSET);
  const target = readRingId(bytes, at + PROBE_TARGET_OFFSET);
  const nonce = readU32(bytes, at + PROBE_NONCE_OFFSET);
  const members = reader.listed(readU16(bytes, at + PROBE_MEMBER_COUNT_OFFSET), nodeCount);
  return reader.complete && members.length > 0 ? { ring, target, members, nonce } : null;
}

export interface CommitMember extends RingMember {
  /** Its gather in which the ring's leader heard it. */
  readonly attempt: number;
  /** Its old ring's place in `blocks`; -1 until it has filled itself in. */
  block: number;
}

/** What the visited members of one old ring hold between them (3.5). */
export interface RecoveryBlock {
  readonly oldRing: RingId;
  /** Held by all members of the old ring. */
  stable: number;
  high: number;
  /** Bit i: no visited member has packet `stable + 1 + i`. Bits up to `high`. */
  missing: Uint8Array;
  /** Union of the visited members' obligation sets, and these members. */
  readonly obliged: Set<NodeIndex>;
}

export interface CommitMessage {
  readonly ring: RingId;
  pass: 1 | 2;
  /** In ring order; the first is the leader. */
  readonly members: readonly CommitMember[];
  readonly blocks: RecoveryBlock[];
}

const NO_BLOCK = 0xff;
/** More old rings than this do not fit into one COMMIT. */
export const MAX_BLOCKS = NO_BLOCK;

export function encodeCommit(writer: BodyWriter, hash: Uint8Array, commit: CommitMessage): void {
  const head = writer.fixed(COMMIT_FIXED_LENGTH);
  writer.bytes.set(hash, head + COMMIT_HASH_OFFSET);
  writeRingId(writer.bytes, head + COMMIT_RING_OFFSET, commit.ring);
  writer.bytes[head + COMMIT_PASS_OFFSET] = commit.pass;
  writeU16(writer.bytes, head + COMMIT_MEMBER_COUNT_OFFSET, commit.members.length);
  for (const member of commit.members) writer.member(member);
  for (const member of commit.members) {
    const at = writer.fixed(COMMIT_MEMBER_LENGTH);
    writeU32(writer.bytes, at + COMMIT_MEMBER_ATTEMPT_OFFSET, member.attempt);
    writer.bytes[at + COMMIT_MEMBER_BLOCK_OFFSET] = member.block < 0 ? NO_BLOCK : member.block;
  }
  writer.u8(commit.blocks.length);
  for (const block of commit.blocks) {
    const at = writer.fixed(COMMIT_BLOCK_FIXED_LENGTH);
    writeRingId(writer.bytes, at + COMMIT_BLOCK_OLD_RING_OFFSET, block.oldRing);
    writeU48(writer.bytes, at + COMMIT_BLOCK_STABLE_OFFSET, block.stable);
    writeU48(writer.bytes, at + COMMIT_BLOCK_HIGH_OFFSET, block.high);
    writeU16(writer.bytes, at + COMMIT_BLOCK_MISSING_LENGTH_OFFSET, block.missing.length);
    writer.raw(block.missing);
    writer.nodes([...block.obliged]);
  }
}

/**
 * The caller has checked the hash.
 * @param maxGap most packets between `stable` and `high` that a store holds
 */
export function decodeCommit(reader: BodyReader, nodeCount: number, maxGap: number): CommitMessage | null {
  const head = reader.head(COMMIT_FIXED_LENGTH);
  if (head < 0) return null;
  const { bytes } = reader;
  const ring = readRingId(bytes, head + COMMIT_RING_OFFSET);
  const pass = bytes[head + COMMIT_PASS_OFFSET]!;
  const listed = reader.listed(readU16(bytes, head + COMMIT_MEMBER_COUNT_OFFSET), nodeCount);
  const members: CommitMember[] = [];
  for (const member of listed) {
    const at = reader.fixed(COMMIT_MEMBER_LENGTH);
    if (at < 0) return null;
    const block = bytes[at + COMMIT_MEMBER_BLOCK_OFFSET]!;
    const attempt = readU32(bytes, at + COMMIT_MEMBER_ATTEMPT_OFFSET);
    members.push({ ...member, attempt, block: block === NO_BLOCK ? -1 : block });
  }
  const blocks: RecoveryBlock[] = [];
  for (let left = reader.u8(); reader.ok && left > 0; left--) {
    const at = reader.fixed(COMMIT_BLOCK_FIXED_LENGTH);
    if (at < 0) return null;
    const oldRing = readRingId(bytes, at + COMMIT_BLOCK_OLD_RING_OFFSET);
    const stable = readU48(bytes, at + COMMIT_BLOCK_STABLE_OFFSET);
    const high = readU48(bytes, at + COMMIT_BLOCK_HIGH_OFFSET);
    const missing = reader.raw(readU16(bytes, at + COMMIT_BLOCK_MISSING_LENGTH_OFFSET));
    const obliged = new Set(reader.nodes(nodeCount));
    if (high < stable || high - stable > maxGap || missing.length !== bitmapLength(high - stable)) return null;
    blocks.push({ oldRing, stable, high, missing, obliged });
  }
  if (!reader.complete || (pass !== 1 && pass !== 2) || members.length < 2) return null;
  if (members.some((member) => member.block >= blocks.length)) return null;
  return { ring, pass, members, blocks };
}

export const bitmapLength = (bits: number): number => Math.ceil(bits / 8);

export const hasBit = (bitmap: Uint8Array, bit: number): boolean => (bitmap[bit >>> 3]! & (1 << (bit & 7))) !== 0;

export function setBit(bitmap: Uint8Array, bit: number): void {
  bitmap[bit >>> 3] = bitmap[bit >>> 3]! | (1 << (bit & 7));
}

export const memberOf = (members: readonly RingMember[], node: NodeIndex): RingMember | undefined =>
  members.find((member) => member.node === node);

export const NO_INCARNATION = incarnation(0);
