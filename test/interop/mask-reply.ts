/**
 * Makes two daemons' replies comparable: the time stamp inside group ids depends on when a daemon started, so each distinct stamp
 * is replaced by its rank of appearance. Everything else must be equal byte for byte.
 */

import { fieldOrder } from '../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { VIEW_ID_TIME_OFFSET } from '../../engine/wire/layout/view-id.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { isRegularView, isTransition } from '../../engine/wire/service.ts';

/** @param handshakeLength bytes before the first frame */
export function maskGroupTimes(reply: Buffer, handshakeLength: number): Buffer {
  const masked = Buffer.from(reply);
  const view = new DataView(masked.buffer, masked.byteOffset, masked.length);
  const ranks = new Map<number, number>();
  for (let at = handshakeLength; at + FRAME_HEADER_LENGTH <= masked.length; ) {
    if (fieldOrder(view, at) !== 'little')
      throw new Error(`no little-endian frame at byte ${at} of ${masked.toString('hex')}`);
    const type = view.getUint32(at + FRAME_TYPE_OFFSET, true);
    const groups = view.getInt32(at + FRAME_GROUP_COUNT_OFFSET, true);
    const dataLength = view.getInt32(at + FRAME_DATA_LENGTH_OFFSET, true);
    const data = at + FRAME_HEADER_LENGTH + groups * NAME_FIELD_LENGTH;
    if (isRegularView(type) || isTransition(type)) {
      const time = view.getInt32(data + VIEW_ID_TIME_OFFSET, true);
      if (!ranks.has(time)) ranks.set(time, ranks.size);
      view.setInt32(data + VIEW_ID_TIME_OFFSET, ranks.get(time)!, true);
    }
    at = data + dataLength;
  }
  return masked;
}

/** Length of AUTH-LIST and ACCEPT at the front of a daemon's replies to a client of version 3.16 or later. */
export function handshakeLength(reply: Buffer): number {
  const authList = reply.readInt8(0);
  if (authList < 0) return reply.length;
  const accept = 1 + authList;
  if (reply.length <= accept || reply.readInt8(accept) !== 1) return reply.length;
  return accept + 5 + reply.readUInt8(accept + 4);
}
