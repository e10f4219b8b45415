/** What the COMMIT collects on its first pass (ring-protocol.md, 3.5). */
import type { NodeIndex } from '../wire/ids.ts';
import { type RingId, sameRing } from '../wire/ring-header.ts';
import {
  bitmapLength,
  type CommitMessage,
  hasBit,
  MAX_BLOCKS,
  type RecoveryBlock,
  setBit,
} from '../wire/ring-membership.ts';

/** What one daemon has of its old ring. */
export interface Holdings {
  readonly oldRing: RingId;
  readonly stable: number;
  readonly high: number;
  /** All packets up to here are held. */
  readonly aru: number;
  /** The highest packet there is room for. */
  readonly reach: number;
  has(seq: number): boolean;
  readonly obligations: ReadonlySet<NodeIndex>;
}

/** A block of one visited member. */
export function blockOf(self: NodeIndex, own: Holdings): RecoveryBlock {
  const block: RecoveryBlock = {
    oldRing: own.oldRing,
    stable: own.stable,
    high: own.high,
    missing: new Uint8Array(bitmapLength(own.high - own.stable)),
    obliged: new Set([...own.obligations, self]),
  };
  for (let seq = own.stable + 1; seq <= own.high; seq++) {
    if (!own.has(seq)) setBit(block.missing, seq - own.stable - 1);
  }
  return block;
}

/** Adds what one more member has: the greater positions, and missing only what both lack. */
export function mergeBlock(block: RecoveryBlock, other: RecoveryBlock): void {
  const stable = Math.max(block.stable, other.stable);
  const high = Math.max(block.high, other.high);
  const missing = new Uint8Array(bitmapLength(high - stable));
  for (let seq = stable + 1; seq <= high; seq++) {
    if (lacks(block, seq) && lacks(other, seq)) setBit(missing, seq - stable - 1);
  }
  block.stable = stable;
  block.high = high;
  block.missing = missing;
  for (const node of other.obliged) block.obliged.add(node);
}

const lacks = (block: RecoveryBlock, seq: number): boolean =>
  seq > block.high || (seq > block.stable && hasBit(block.missing, seq - block.stable - 1));

/**
 * Writes a member into a first-pass COMMIT.
 * @returns whether it could: a COMMIT has room for a limited number of old rings, and a block for a limited gap
 */
export function fillIn(commit: CommitMessage, self: NodeIndex, own: Holdings, maxGap: number): boolean {
  const member = commit.members.find(({ node }) => node === self);
  if (member === undefined) return false;
  const mine = blockOf(self, own);
  let index = commit.blocks.findIndex(({ oldRing }) => sameRing(oldRing, own.oldRing));
  if (index < 0) {
    if (commit.blocks.length === MAX_BLOCKS) return false;
    index = commit.blocks.push(mine) - 1;
  } else {
    const block = commit.blocks[index]!;
    if (Math.max(block.high, mine.high) - Math.max(block.stable, mine.stable) > maxGap) return false;
    mergeBlock(block, mine);
    if (!isSound(block, own)) return false;
  }
  member.block = index;
  return true;
}

/**
 * What a COMMIT says of this daemon's old ring agrees with its own state: it holds what is stable, and has room
 * for the rest.
 */
export const isSound = (block: RecoveryBlock, own: Holdings): boolean =>
  sameRing(block.oldRing, own.oldRing) &&
  block.stable >= own.stable &&
  block.stable <= own.aru &&
  block.high >= own.high &&
  block.high <= own.reach;

/** Every member wrote itself in. */
export const isComplete = (commit: CommitMessage): boolean => commit.members.every(({ block }) => block >= 0);

/** Members of the new ring that come from the same old ring: the transitional membership. */
export const transitionalMembers = (commit: CommitMessage, block: number): CommitMessage['members'] =>
  commit.members.filter((member) => member.block === block);
