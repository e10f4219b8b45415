/** Hashes of frames: what a receiver saw is compared with what the sender made without keeping either. */
import { FRAME_HEADER_LENGTH } from '../../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';

const MULTIPLIER_A = 0x9e3779b1;
const MULTIPLIER_B = 0x85ebca77;

export function mix(hash: number, word: number, multiplier: number = MULTIPLIER_A): number {
  const mixed = Math.imul(hash ^ word, multiplier);
  return mixed ^ (mixed >>> 15);
}

/** Over `bytes[start, end)`, seen through `view` of the same memory. */
export function hashRange(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  seed: number,
  second = false,
): number {
  const multiplier = second ? MULTIPLIER_B : MULTIPLIER_A;
  let hash = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = mix(hash, view.getInt32(at, true), multiplier);
  for (; at < end; at++) hash = mix(hash, bytes[at], multiplier);
  return hash;
}

/** Everything of a message that a daemon must pass on unchanged: type bits, sender, message type, targets and data (section 4.2). */
export function hashFrame(
  bytes: Uint8Array,
  view: DataView,
  groupsOffset: number,
  groupCount: number,
  dataLength: number,
  serviceBits: number,
  messageType: number,
): number {
  const senderOffset = groupsOffset - FRAME_HEADER_LENGTH + 4;
  let hash = mix(mix(mix(serviceBits, messageType), groupCount), dataLength);
  hash = hashRange(bytes, view, senderOffset, senderOffset + NAME_FIELD_LENGTH, hash);
  return hashRange(bytes, view, groupsOffset, groupsOffset + groupCount * NAME_FIELD_LENGTH + dataLength, hash);
}
