/**
 * Little-endian numbers in plain byte arrays, for packets between daemons. 48-bit numbers travel as u32 low, u16 high
 * and are JavaScript numbers in memory (ring-protocol.md, 8.1). Nothing here allocates, except `copyBytes` for
 * one short-lived view when it moves more than a few words.
 */

const U32 = 0x1_0000_0000;

export const U48_MAX = 0xffff_ffff_ffff;

export const readU16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);

export const readU32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** Signed: on the heap of no engine, whatever the bytes are. */
export const readI32 = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

/** Where the 16 high bits of a 48-bit number are. */
export const U48_HIGH = 4;

export const readU48 = (bytes: Uint8Array, at: number): number => readU32(bytes, at) + readU16(bytes, at + 4) * U32;

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value >>> 0);
  writeU16(bytes, at + 4, Math.floor(value / U32));
}

/** Below this many bytes a loop is cheaper than making a view. */
const LOOP_COPY_BYTES = 32;

export function copyBytes(
  to: Uint8Array,
  toOffset: number,
  from: Uint8Array,
  fromOffset: number,
  lengthBytes: number,
): void {
  if (lengthBytes <= LOOP_COPY_BYTES) {
    for (let i = 0; i < lengthBytes; i++) to[toOffset + i] = from[fromOffset + i]!;
  } else {
    to.set(from.subarray(fromOffset, fromOffset + lengthBytes), toOffset);
  }
}
