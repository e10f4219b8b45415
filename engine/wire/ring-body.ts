/**
 * Cursors over the bodies of control messages between daemons. The reader never throws: once something does not fit it
 * gives zeros, and `ok` is false. These messages are rare; bodies grow as needed.
 */

import { type Incarnation, incarnation, type NodeIndex, nodeIndex } from './ids.ts';
import { RING_ID_LENGTH } from './layout/ring-id.ts';
import { RING_MEMBER_INCARNATION_OFFSET, RING_MEMBER_LENGTH, RING_MEMBER_NODE_OFFSET } from './layout/ring-member.ts';
import { copyBytes, readU16, readU32, readU48, writeU16, writeU32, writeU48 } from './ring-bytes.ts';
import { NO_RING, type RingId, readRingId, writeRingId } from './ring-header.ts';

export interface RingMember {
  readonly node: NodeIndex;
  readonly incarnation: Incarnation;
}

export class BodyWriter {
  bytes: Uint8Array = new Uint8Array(1024);
  lengthBytes = 0;

  reset(): void {
    this.lengthBytes = 0;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#grow(2);
    writeU16(this.bytes, at, value);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    writeU32(this.bytes, at, value);
  }

  u48(value: number): void {
    const at = this.#grow(6);
    writeU48(this.bytes, at, value);
  }

  raw(from: Uint8Array): void {
    const at = this.#grow(from.length);
    copyBytes(this.bytes, at, from, 0, from.length);
  }

  ringId(ring: RingId): void {
    const at = this.#grow(RING_ID_LENGTH);
    writeRingId(this.bytes, at, ring);
  }

  /** Room for a part of fixed length. @returns where it begins in `bytes`, until the next call */
  fixed(lengthBytes: number): number {
    return this.#grow(lengthBytes);
  }

  member(member: RingMember): void {
    const at = this.#grow(RING_MEMBER_LENGTH);
    writeU16(this.bytes, at + RING_MEMBER_NODE_OFFSET, member.node);
    writeU48(this.bytes, at + RING_MEMBER_INCARNATION_OFFSET, member.incarnation);
  }

  members(members: readonly RingMember[]): void {
    this.u16(members.length);
    for (const member of members) this.member(member);
  }

  nodes(nodes: readonly NodeIndex[]): void {
    this.u16(nodes.length);
    for (const node of nodes) this.u16(node);
  }

  /** Makes room; `this.bytes` may be another array afterwards. */
  #grow(bytes: number): number {
    const at = this.lengthBytes;
    this.lengthBytes = at + bytes;
    if (this.lengthBytes > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.lengthBytes, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    return at;
  }
}

export class BodyReader {
  bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #at = 0;
  #end = 0;
  ok = true;

  open(bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.bytes = bytes;
    this.#start = offset;
    this.#at = offset;
    this.#end = offset + lengthBytes;
    this.ok = true;
  }

  /** All of the body was read, and nothing past it. */
  get complete(): boolean {
    return this.ok && this.#at === this.#end;
  }

  /**
   * The first `lengthBytes` of the body; what was read of them before counts in.
   * @returns where the body begins in `bytes`; below 0 when it is shorter
   */
  head(lengthBytes: number): number {
    this.#at = this.#start;
    return this.fixed(lengthBytes);
  }

  /** @returns where the next `lengthBytes` begin in `bytes`; below 0 when the body is shorter */
  fixed(lengthBytes: number): number {
    return this.#take(lengthBytes) ? this.#at - lengthBytes : -1;
  }

  u8(): number {
    return this.#take(1) ? this.bytes[this.#at - 1]! : 0;
  }

  u16(): number {
    return this.#take(2) ? readU16(this.bytes, this.#at - 2) : 0;
  }

  u32(): number {
    return this.#take(4) ? readU32(this.bytes, this.#at - 4) : 0;
  }

  u48(): number {
    return this.#take(6) ? readU48(this.bytes, this.#at - 6) : 0;
  }

  /** A copy. */
  raw(lengthBytes: number): Uint8Array {
    if (!this.#take(lengthBytes)) return new Uint8Array(0);
    return this.bytes.slice(this.#at - lengthBytes, this.#at);
  }

  equals(expected: Uint8Array): boolean {
    if (!this.#take(expected.length)) return false;
    const start = this.#at - expected.length;
    for (let i = 0; i < expected.length; i++) if (this.bytes[start + i] !== expected[i]) return false;
    return true;
  }

  ringId(): RingId {
    return this.#take(RING_ID_LENGTH) ? readRingId(this.bytes, this.#at - RING_ID_LENGTH) : NO_RING;
  }

  node(nodeCount: number): NodeIndex {
    const node = this.u16();
    if (node >= nodeCount) this.ok = false;
    return nodeIndex(node);
  }

  /** Members with their nodes in rising order, each below `nodeCount`. */
  members(nodeCount: number): RingMember[] {
    return this.listed(this.u16(), nodeCount);
  }

  /** Likewise, where their number was read before. */
  listed(count: number, nodeCount: number): RingMember[] {
    const members: RingMember[] = [];
    for (let left = count, before = -1; this.ok && left > 0; left--) {
      const at = this.fixed(RING_MEMBER_LENGTH);
      if (at < 0) break;
      const node = readU16(this.bytes, at + RING_MEMBER_NODE_OFFSET);
      if (node <= before || node >= nodeCount) this.ok = false;
      before = node;
      const memberIncarnation = readU48(this.bytes, at + RING_MEMBER_INCARNATION_OFFSET);
      members.push({ node: nodeIndex(node), incarnation: incarnation(memberIncarnation) });
    }
    return members;
  }

  nodes(nodeCount: number): NodeIndex[] {
    const nodes: NodeIndex[] = [];
    for (let left = this.u16(); this.ok && left > 0; left--) nodes.push(this.node(nodeCount));
    return nodes;
  }

  #take(bytes: number): boolean {
    if (!this.ok || this.#at + bytes > this.#end) {
      this.ok = false;
      return false;
    }
    this.#at += bytes;
    return true;
  }
}
