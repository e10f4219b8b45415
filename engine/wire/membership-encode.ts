/**
 * Membership messages as clients get them (client-protocol.md, sections 5.1 and 5.2): views, transitional signals and
 * self-leaves. All integers are little-endian, message type 0, unused bytes zero.
 */

import { writeHeader } from './frame.ts';
import { FRAME_DATA_LENGTH_OFFSET, FRAME_GROUPS_OFFSET, FRAME_HEADER_LENGTH } from './layout/frame-header.ts';
import { VIEW_ID_OFFSET, VIEW_OWN_SET_OFFSET, VIEW_SET_COUNT_OFFSET, VIEW_SETS_OFFSET } from './layout/view-body.ts';
import {
  VIEW_ID_INDEX_OFFSET,
  VIEW_ID_LENGTH,
  VIEW_ID_MEMBERSHIP_OFFSET,
  VIEW_ID_TIME_OFFSET,
} from './layout/view-id.ts';
import { VS_SET_FIXED_LENGTH, VS_SET_MEMBER_COUNT_OFFSET, VS_SET_NAMES_OFFSET } from './layout/vs-set.ts';
import { NAME_FIELD_LENGTH } from './limits.ts';
import { CAUSED_BY_LEAVE, CAUSED_BY_NETWORK, REG_MEMB_MESS, TRANSITION_MESS } from './service.ts';

/** Identity of one view of a group. `membershipProcId` and `membershipTime` are signed 32-bit (section 5.4). */
export interface GroupId {
  /** IPv4 address, as a number, of the daemon that led the forming of the daemon membership. */
  readonly membershipProcId: number;
  /** Time stamp of the daemon membership, in seconds. */
  readonly membershipTime: number;
  /** 1-based. */
  readonly index: number;
}

/** What a view is made of: the group's name and id, and its members' names as 32-byte fields in member order. */
export interface GroupView extends GroupId {
  readonly name: string;
  readonly memberCount: number;
  readonly memberNames: Uint8Array;
}

const SELF_LEAVE_FRAME_LENGTH = FRAME_HEADER_LENGTH;
const TRANSITION_FRAME_LENGTH = FRAME_HEADER_LENGTH + VIEW_ID_LENGTH;

const vsSetLength = (memberCount: number): number => VS_SET_FIXED_LENGTH + NAME_FIELD_LENGTH * memberCount;

/** Bytes of a view caused by a join, leave or disconnect. */
export const changeFrameLength = (memberCount: number): number =>
  FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH * memberCount + VIEW_SETS_OFFSET + vsSetLength(1);

/** Bytes of a view caused by the network: every name appears twice. */
export const networkFrameLength = (memberCount: number, setCount: number): number =>
  FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH * 2 * memberCount + VIEW_SETS_OFFSET + VS_SET_FIXED_LENGTH * setCount;

/** Room for the frames of all but the largest groups; what is longer is given back after use. */
const KEEP_BYTES = 1024 * 1024;

/** One reusable buffer; each `write…` replaces its content. */
export class MembershipFrame {
  bytes = new Uint8Array(4096);
  lengthBytes = 0;
  private view = new DataView(this.bytes.buffer);
  /** Of the last network view: offset of each set relative to the first, by rank; -1 for a rank without members. */
  private setOffsets = new Int32Array(8);

  /** CAUSED_BY_LEAVE alone: the leaver's own notice. */
  writeSelfLeave(group: string): void {
    this.start(SELF_LEAVE_FRAME_LENGTH, CAUSED_BY_LEAVE, group, 0);
  }

  /** The transitional signal: the id of the view that ends. */
  writeTransition(group: string, id: GroupId): void {
    this.start(TRANSITION_FRAME_LENGTH, TRANSITION_MESS, group, 0);
    this.writeGroupId(FRAME_HEADER_LENGTH, id);
  }

  /**
   * A view caused by one member's join, leave or disconnect; its one vs set holds that member.
   * @param cause CAUSED_BY_JOIN, CAUSED_BY_LEAVE or CAUSED_BY_DISCONNECT
   * @param changed the member's name, a zero-filled 32-byte field
   */
  writeChange(cause: number, group: GroupView, changed: Uint8Array): void {
    const body = this.startView(changeFrameLength(group.memberCount), cause, group, 1);
    this.view.setInt32(body + VIEW_SETS_OFFSET + VS_SET_MEMBER_COUNT_OFFSET, 1, true);
    this.bytes.set(changed, body + VIEW_SETS_OFFSET + VS_SET_NAMES_OFFSET);
  }

  /**
   * A view caused by the network, its vs sets in the order of their ranks. The receiver's own set is rank 0's until
   * `pointToSet` says otherwise.
   * @param rankOf of each member, in member order; ranks without members are allowed
   * @param rankCount one more than the highest rank
   */
  writeNetwork(group: GroupView, rankOf: Uint16Array, rankCount: number): void {
    const setCount = this.layOutSets(rankOf, group.memberCount, rankCount);
    const length = networkFrameLength(group.memberCount, setCount);
    const sets = this.startView(length, CAUSED_BY_NETWORK, group, setCount) + VIEW_SETS_OFFSET;
    for (let rank = 0; rank < rankCount; rank++) {
      if (this.setOffsets[rank]! >= 0) this.writeSet(sets + this.setOffsets[rank]!, rank, rankOf, group.memberCount);
    }
  }

  /** Makes the network view just written the copy of a receiver in the set of `rank`. */
  pointToSet(memberCount: number, rank: number): void {
    const body = FRAME_GROUPS_OFFSET + NAME_FIELD_LENGTH * memberCount;
    this.view.setInt32(body + VIEW_OWN_SET_OFFSET, this.setOffsets[rank]!, true);
  }

  /** Gives an unusually large buffer back. What was written is gone. */
  release(): void {
    if (this.bytes.length > KEEP_BYTES) this.resize(KEEP_BYTES);
  }

  private resize(lengthBytes: number): void {
    this.bytes = new Uint8Array(lengthBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  private layOutSets(rankOf: Uint16Array, memberCount: number, rankCount: number): number {
    if (this.setOffsets.length < rankCount) this.setOffsets = new Int32Array(rankCount * 2);
    const sizes = this.setOffsets.fill(0, 0, rankCount);
    for (let i = 0; i < memberCount; i++) sizes[rankOf[i]!]!++;
    let offset = 0;
    let setCount = 0;
    for (let rank = 0; rank < rankCount; rank++) {
      const size = sizes[rank]!;
      sizes[rank] = size === 0 ? -1 : offset;
      if (size === 0) continue;
      offset += vsSetLength(size);
      setCount++;
    }
    return setCount;
  }

  private writeSet(at: number, rank: number, rankOf: Uint16Array, memberCount: number): void {
    let target = at + VS_SET_NAMES_OFFSET;
    let size = 0;
    for (let start = 0; start < memberCount; ) {
      let end = start;
      while (end < memberCount && rankOf[end] === rank) end++;
      if (end === start) {
        start++;
        continue;
      }
      const from = FRAME_GROUPS_OFFSET + NAME_FIELD_LENGTH * start;
      this.bytes.copyWithin(target, from, FRAME_GROUPS_OFFSET + NAME_FIELD_LENGTH * end);
      target += NAME_FIELD_LENGTH * (end - start);
      size += end - start;
      start = end;
    }
    this.view.setInt32(at + VS_SET_MEMBER_COUNT_OFFSET, size, true);
  }

  /** Header, member list and fixed part of the body; returns the offset of the body. */
  private startView(lengthBytes: number, cause: number, group: GroupView, setCount: number): number {
    this.start(lengthBytes, REG_MEMB_MESS | cause, group.name, group.memberCount);
    const namesLength = NAME_FIELD_LENGTH * group.memberCount;
    this.bytes.set(group.memberNames.subarray(0, namesLength), FRAME_GROUPS_OFFSET);
    const body = FRAME_GROUPS_OFFSET + namesLength;
    this.writeGroupId(body + VIEW_ID_OFFSET, group);
    this.view.setInt32(body + VIEW_SET_COUNT_OFFSET, setCount, true);
    this.view.setInt32(body + VIEW_OWN_SET_OFFSET, 0, true);
    return body;
  }

  private start(lengthBytes: number, type: number, group: string, memberCount: number): void {
    if (this.bytes.length < lengthBytes) this.resize(Math.max(lengthBytes, Math.min(lengthBytes * 2, KEEP_BYTES)));
    this.lengthBytes = lengthBytes;
    writeHeader(this.bytes, this.view, 0, type, group, memberCount, 0, 0);
    this.view.setInt32(
      FRAME_DATA_LENGTH_OFFSET,
      lengthBytes - FRAME_HEADER_LENGTH - NAME_FIELD_LENGTH * memberCount,
      true,
    );
  }

  private writeGroupId(at: number, id: GroupId): void {
    this.view.setInt32(at + VIEW_ID_MEMBERSHIP_OFFSET, id.membershipProcId, true);
    this.view.setInt32(at + VIEW_ID_TIME_OFFSET, id.membershipTime, true);
    this.view.setInt32(at + VIEW_ID_INDEX_OFFSET, id.index, true);
  }
}
