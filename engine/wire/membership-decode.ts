/**
 * Bodies of membership messages (client-protocol.md, section 5). Pure and bounds-checked: nothing is read
 * outside the given range, whatever the bytes say.
 */

import { readName } from './frame.ts';
import { VIEW_ID_OFFSET, VIEW_OWN_SET_OFFSET, VIEW_SET_COUNT_OFFSET, VIEW_SETS_OFFSET } from './layout/view-body.ts';
import {
  VIEW_ID_INDEX_OFFSET,
  VIEW_ID_LENGTH,
  VIEW_ID_MEMBERSHIP_OFFSET,
  VIEW_ID_TIME_OFFSET,
} from './layout/view-id.ts';
import { VS_SET_FIXED_LENGTH, VS_SET_MEMBER_COUNT_OFFSET, VS_SET_NAMES_OFFSET } from './layout/vs-set.ts';
import { NAME_FIELD_LENGTH } from './limits.ts';

/** A frame whose fields contradict each other or its length: the peer is broken, the stream cannot be trusted. */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError';
  readonly field: string;
  readonly value: number;
  readonly limit: number;

  /** `value` is what `field` holds, `limit` what it may hold at this place. */
  constructor(field: string, value: number, limit: number) {
    super(`malformed frame: ${field} is ${value}, limit ${limit}`);
    this.field = field;
    this.value = value;
    this.limit = limit;
  }
}

/**
 * The id of one view of a group. It may repeat after a group emptied (section 5.4), so it names a view among
 * those of a group's present life only.
 */
export class ViewId {
  /** Address of the daemon that led the forming of the daemon membership, as a signed 32-bit number. */
  readonly memberId: number;
  /** Time stamp of that daemon membership: the seconds of its time, or a greater number where they are not enough to keep ids apart. */
  readonly time: number;
  /** Number of the view within that daemon membership, 1 for the first. */
  readonly index: number;

  constructor(memberId: number, time: number, index: number) {
    this.memberId = memberId;
    this.time = time;
    this.index = index;
  }

  /** Ids are equal when all three fields are; nothing else is equal to one. */
  equals(other: ViewId): boolean {
    if (typeof other !== 'object' || other === null) return false;
    try {
      return this.memberId === other.memberId && this.time === other.time && this.index === other.index;
    } catch {
      // A getter or a Proxy that throws: no id.
      return false;
    }
  }

  /** `127.0.0.1:1795431873:2`. Equal ids give equal strings and no others do. */
  toString(): string {
    const address = this.memberId >>> 0;
    const quad = [address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff];
    return `${quad.join('.')}:${this.time}:${this.index}`;
  }
}

/** The decoded body of a regular membership message. */
export interface MembershipBody {
  readonly viewId: ViewId;
  /** Names of each vs set, in wire order; at least one set. */
  readonly vsSets: readonly (readonly string[])[];
  /** Index into `vsSets` of the receiver's own set. */
  readonly ownVsSet: number;
}

/** Reads a view id from the first 12 of `lengthBytes` bytes at `offset`. */
export function decodeViewId(view: DataView, offset: number, lengthBytes: number, littleEndian: boolean): ViewId {
  if (lengthBytes < VIEW_ID_LENGTH) throw new MalformedFrameError('length of a group id', lengthBytes, VIEW_ID_LENGTH);
  return new ViewId(
    view.getInt32(offset + VIEW_ID_MEMBERSHIP_OFFSET, littleEndian),
    view.getInt32(offset + VIEW_ID_TIME_OFFSET, littleEndian),
    view.getInt32(offset + VIEW_ID_INDEX_OFFSET, littleEndian),
  );
}

/** Writes `id` as 12 little-endian bytes at `offset`. */
export function encodeViewId(view: DataView, offset: number, id: ViewId): void {
  view.setInt32(offset + VIEW_ID_MEMBERSHIP_OFFSET, id.memberId, true);
  view.setInt32(offset + VIEW_ID_TIME_OFFSET, id.time, true);
  view.setInt32(offset + VIEW_ID_INDEX_OFFSET, id.index, true);
}

/**
 * Decodes the `lengthBytes` bytes at `offset`. `littleEndian` is the order of the frame's `type` field, not of
 * its hint. The sets must fill the body exactly and one of them must begin where the body says the receiver's
 * own does; otherwise MalformedFrameError.
 */
export function decodeMembershipBody(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  lengthBytes: number,
  littleEndian: boolean,
): MembershipBody {
  if (lengthBytes < VIEW_SETS_OFFSET)
    throw new MalformedFrameError('data_len of a view', lengthBytes, VIEW_SETS_OFFSET);
  const setCount = view.getUint32(offset + VIEW_SET_COUNT_OFFSET, littleEndian);
  const ownOffset = view.getUint32(offset + VIEW_OWN_SET_OFFSET, littleEndian);
  const mostSets = Math.floor((lengthBytes - VIEW_SETS_OFFSET) / VS_SET_FIXED_LENGTH);
  if (setCount < 1 || setCount > mostSets) throw new MalformedFrameError('number of vs sets', setCount, mostSets);

  const vsSets: string[][] = [];
  let ownVsSet = -1;
  let position = VIEW_SETS_OFFSET;
  for (let set = 0; set < setCount; set++) {
    if (lengthBytes - position < VS_SET_FIXED_LENGTH)
      throw new MalformedFrameError(`start of vs set ${set}`, position, lengthBytes - VS_SET_FIXED_LENGTH);
    if (position === VIEW_SETS_OFFSET + ownOffset) ownVsSet = set;
    const memberCount = view.getUint32(offset + position + VS_SET_MEMBER_COUNT_OFFSET, littleEndian);
    position += VS_SET_NAMES_OFFSET;
    const mostMembers = Math.floor((lengthBytes - position) / NAME_FIELD_LENGTH);
    if (memberCount > mostMembers)
      throw new MalformedFrameError(`member count of vs set ${set}`, memberCount, mostMembers);
    const members: string[] = [];
    for (let member = 0; member < memberCount; member++) {
      members.push(readName(bytes, offset + position));
      position += NAME_FIELD_LENGTH;
    }
    vsSets.push(members);
  }
  if (position !== lengthBytes) throw new MalformedFrameError('end of the vs sets', position, lengthBytes);
  if (ownVsSet < 0)
    throw new MalformedFrameError('offset of the own vs set', ownOffset, lengthBytes - VIEW_SETS_OFFSET);
  return { viewId: decodeViewId(view, offset + VIEW_ID_OFFSET, lengthBytes, littleEndian), vsSets, ownVsSet };
}
