/** The refusal of a join or leave, as a frame for its sender (client-protocol.md, section 3.5). */
import { OFFSET_DATA_LENGTH, OFFSET_GROUPS, OFFSET_NUM_GROUPS, writeName } from '../../engine/wire/frame.ts';
import { HEADER_LENGTH, MAX_GROUPS_PER_MESSAGE, NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import {
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  ENDIAN_FLAG,
  JOIN_MESS,
  LEAVE_MESS,
  REJECT_MESS,
  SELF_DISCARD,
} from '../../engine/wire/service.ts';

const OLD_TYPE_LENGTH = 4;

/**
 * Header (type REJECT), old type (join or leave replaced by its CAUSED_BY bit), the request's groups with the originator's name
 * appended (or over the last one when there are 100), the request's data.
 * @param bytes holds the request at `start..end`, already little-endian
 */
export function rejectFrame(bytes: Buffer, view: DataView, start: number, end: number, originator: string): Buffer {
  const type = view.getInt32(start, true);
  const groupCount = view.getInt32(start + OFFSET_NUM_GROUPS, true);
  const dataLength = view.getInt32(start + OFFSET_DATA_LENGTH, true);
  const groups = Math.min(groupCount + 1, MAX_GROUPS_PER_MESSAGE);
  const frame = Buffer.alloc(HEADER_LENGTH + OLD_TYPE_LENGTH + groups * NAME_FIELD_LENGTH + dataLength);
  bytes.copy(frame, 0, start, start + HEADER_LENGTH);
  frame.writeUInt32LE((REJECT_MESS | ENDIAN_FLAG | (type & SELF_DISCARD)) >>> 0, 0);
  frame.writeInt32LE(groups, OFFSET_NUM_GROUPS);
  const cause = (type & JOIN_MESS) !== 0 ? CAUSED_BY_JOIN : CAUSED_BY_LEAVE;
  frame.writeUInt32LE(((type & ~(JOIN_MESS | LEAVE_MESS)) | cause) >>> 0, HEADER_LENGTH);
  const names = HEADER_LENGTH + OLD_TYPE_LENGTH;
  bytes.copy(frame, names, start + OFFSET_GROUPS, start + OFFSET_GROUPS + (groups - 1) * NAME_FIELD_LENGTH);
  writeName(frame, names + (groups - 1) * NAME_FIELD_LENGTH, originator);
  bytes.copy(frame, names + groups * NAME_FIELD_LENGTH, end - dataLength, end);
  return frame;
}
