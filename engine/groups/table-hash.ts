/**
 * A cheap 64-bit digest of a group table, equal at all daemons that are in step. Two independent 32-bit lanes; not for
 * adversaries, only for invariants.
 */

/** Mixes one integer into a 32-bit hash. */
export function hashNumber(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x9e37_79b1);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x85eb_ca77);
  return (mixed ^ (mixed >>> 13)) | 0;
}

export function hashText(hash: number, text: string): number {
  let mixed = hashNumber(hash, text.length);
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x0100_0193);
  return hashNumber(mixed, text.length);
}

/** The sum of its parts, so it does not depend on the order in which a table is walked. */
export class TableHash {
  high = 0;
  low = 0;

  /** Adds one part given by two different 32-bit hashes of it. */
  add(first: number, second: number): void {
    this.high = (this.high + first) | 0;
    this.low = (this.low + second) | 0;
  }

  equals(high: number, low: number): boolean {
    return this.high === (high | 0) && this.low === (low | 0);
  }

  toString(): string {
    const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, '0');
    return hex(this.high) + hex(this.low);
  }
}
