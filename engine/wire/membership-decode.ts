/**
 * Bodies of membership messages (client-protocol.md, section 5). Pure and bounds-checked: nothing is read
 * outside the given range, whatever the bytes say.
 */
import { readName } from './frame.ts';
import { NAME_FIELD_LENGTH } from './limits.ts';

/** Width of a group id, which is the whole body of a transitional message. */
export const VIEW_ID_LENGTH = 12;
/** Where the vs sets begin; the offset of the receiver's own set counts from here (section 5.2). */
const VS_SETS_OFFSET = 20;

const OFFSET_SET_COUNT = 12;
const OFFSET_OWN_SET = 16;
const COUNT_LENGTH = 4;

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
    view.getInt32(offset, littleEndian),
    view.getInt32(offset + 4, littleEndian),
    view.getInt32(offset + 8, littleEndian),
  );
}

/** Writes `id` as 12 little-endian bytes at `offset`. */
export function encodeViewId(view: DataView, offset: number, id: ViewId): void {
  view.setInt32(offset, id.memberId, true);
  view.setInt32(offset + 4, id.time, true);
  view.setInt32(offset + 8, id.index, true);
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
  if (lengthBytes < VS_SETS_OFFSET) throw new MalformedFrameError('data_len of a view', lengthBytes, VS_SETS_OFFSET);
  const setCount = view.getUint32(offset + OFFSET_SET_COUNT, littleEndian);
  const ownOffset = view.getUint32(offset + OFFSET_OWN_SET, littleEndian);
  const mostSets = Math.floor((lengthBytes - VS_SETS_OFFSET) / COUNT_LENGTH);
  if (setCount < 1 || setCount > mostSets) throw new MalformedFrameError('number of vs sets', setCount, mostSets);

  const vsSets: string[][] = [];
  let ownVsSet = -1;
  let position = VS_SETS_OFFSET;
  for (let set = 0; set < setCount; set++) {
    if (lengthBytes - position < COUNT_LENGTH)
      throw new MalformedFrameError(`start of vs set ${set}`, position, lengthBytes - COUNT_LENGTH);
    if (position === VS_SETS_OFFSET + ownOffset) ownVsSet = set;
    const memberCount = view.getUint32(offset + position, littleEndian);
    position += COUNT_LENGTH;
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
  if (ownVsSet < 0) throw new MalformedFrameError('offset of the own vs set', ownOffset, lengthBytes - VS_SETS_OFFSET);
  return { viewId: decodeViewId(view, offset, lengthBytes, littleEndian), vsSets, ownVsSet };
}
