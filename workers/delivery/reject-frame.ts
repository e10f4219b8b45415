/** The refusal of a join, a leave or a message, as a frame for its sender (client-protocol.md, section 3.5). */

import { writeName } from '../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { REJECT_GROUPS_OFFSET, REJECT_OLD_TYPE_OFFSET } from '../../engine/wire/layout/reject-frame.ts';
import { MAX_GROUPS_PER_MESSAGE, NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import {
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  ENDIAN_FLAG,
  JOIN_MESS,
  LEAVE_MESS,
  REJECT_MESS,
  SELF_DISCARD,
} from '../../engine/wire/service.ts';

/**
 * Header (type REJECT), old type (join or leave replaced by its CAUSED_BY bit), the request's groups with the originator's name
 * appended (or over the last one when there are 100), the request's data.
 * @param bytes holds the request at `start..end`, already little-endian
 * @param refusedTarget index of the group that it is refused for: that one comes first, the others keep their order
 */
export function rejectFrame(
  bytes: Buffer,
  view: DataView,
  start: number,
  end: number,
  originator: string,
  refusedTarget = 0,
): Buffer {
  const type = view.getInt32(start + FRAME_TYPE_OFFSET, true);
  const groupCount = view.getInt32(start + FRAME_GROUP_COUNT_OFFSET, true);
  const dataLength = view.getInt32(start + FRAME_DATA_LENGTH_OFFSET, true);
  const groups = Math.min(groupCount + 1, MAX_GROUPS_PER_MESSAGE);
  const frame = Buffer.alloc(REJECT_GROUPS_OFFSET + groups * NAME_FIELD_LENGTH + dataLength);
  bytes.copy(frame, 0, start, start + FRAME_HEADER_LENGTH);
  frame.writeUInt32LE((REJECT_MESS | ENDIAN_FLAG | (type & SELF_DISCARD)) >>> 0, FRAME_TYPE_OFFSET);
  frame.writeInt32LE(groups, FRAME_GROUP_COUNT_OFFSET);
  frame.writeUInt32LE(((type & ~(JOIN_MESS | LEAVE_MESS)) | causeOf(type)) >>> 0, REJECT_OLD_TYPE_OFFSET);
  const names = REJECT_GROUPS_OFFSET;
  const asked = start + FRAME_GROUPS_OFFSET;
  const refused = asked + refusedTarget * NAME_FIELD_LENGTH;
  const behind = refused + NAME_FIELD_LENGTH;
  if (groupCount > 0) {
    const list = frame.subarray(names, names + groups * NAME_FIELD_LENGTH);
    bytes.copy(list, 0, refused, behind);
    bytes.copy(list, NAME_FIELD_LENGTH, asked, refused);
    bytes.copy(list, behind - asked, behind, asked + groupCount * NAME_FIELD_LENGTH);
  }
  writeName(frame, names + (groups - 1) * NAME_FIELD_LENGTH, originator);
  bytes.copy(frame, names + groups * NAME_FIELD_LENGTH, end - dataLength, end);
  return frame;
}

function causeOf(type: number): number {
  if ((type & JOIN_MESS) !== 0) return CAUSED_BY_JOIN;
  return (type & LEAVE_MESS) !== 0 ? CAUSED_BY_LEAVE : 0;
}
