/**
 * Bodies of the messages of daemon membership (ring-protocol.md, 3.4, 3.5 and 8.2). All begin with the 128-bit hash of
 * cluster and configuration. Decoders give null for anything malformed.
 */
import { incarnation, type NodeIndex } from './ids.ts';
import type { BodyReader, BodyWriter, RingMember } from './ring-body.ts';
import type { RingId } from './ring-header.ts';

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
  writer.raw(hash);
  writer.u32(join.attempt);
  writer.u32(join.maxRingSeq);
  writer.ringId(join.oldRing);
  writer.u8(join.merge.length);
  for (const ring of join.merge) writer.ringId(ring);
  writer.nodes(join.failed);
  writer.members(join.hears);
}

/** The caller has checked the hash. */
export function decodeJoin(reader: BodyReader, nodeCount: number): JoinMessage | null {
  const attempt = reader.u32();
  const maxRingSeq = reader.u32();
  const oldRing = reader.ringId();
  const merge: RingId[] = [];
  for (let left = reader.u8(); reader.ok && left > 0; left--) merge.push(reader.ringId());
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
  writer.raw(hash);
  writer.ringId(probe.ring);
  writer.ringId(probe.target);
  writer.u32(probe.nonce);
  writer.members(probe.members);
}

/** The caller has checked the hash. */
export function decodeProbe(reader: BodyReader, nodeCount: number): ProbeMessage | null {
  const ring = reader.ringId();
  const target = reader.ringId();
  const nonce = reader.u32();
  const members = reader.members(nodeCount);
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
  writer.raw(hash);
  writer.ringId(commit.ring);
  writer.u8(commit.pass);
  writer.members(commit.members);
  for (const member of commit.members) {
    writer.u32(member.attempt);
    writer.u8(member.block < 0 ? NO_BLOCK : member.block);
  }
  writer.u8(commit.blocks.length);
  for (const block of commit.blocks) {
    writer.ringId(block.oldRing);
    writer.u48(block.stable);
    writer.u48(block.high);
    writer.u16(block.missing.length);
    writer.raw(block.missing);
    writer.nodes([...block.obliged]);
  }
}

/**
 * The caller has checked the hash.
 * @param maxGap most packets between `stable` and `high` that a store holds
 */
export function decodeCommit(reader: BodyReader, nodeCount: number, maxGap: number): CommitMessage | null {
  const ring = reader.ringId();
  const pass = reader.u8();
  const listed = reader.members(nodeCount);
  const members: CommitMember[] = [];
  for (const member of listed) {
    const attempt = reader.u32();
    const block = reader.u8();
    members.push({ ...member, attempt, block: block === NO_BLOCK ? -1 : block });
  }
  const blocks: RecoveryBlock[] = [];
  for (let left = reader.u8(); reader.ok && left > 0; left--) {
    const oldRing = reader.ringId();
    const stable = reader.u48();
    const high = reader.u48();
    const missing = reader.raw(reader.u16());
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
