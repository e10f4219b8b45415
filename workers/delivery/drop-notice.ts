/**
 * Tells a client how many UNRELIABLE messages it missed under the policy `drop-unreliable`: nothing that was accepted is lost silently.
 * The notice is a RELIABLE message to the client's private group. Its sender cannot be a client: `!` is no legal byte in a
 * connection's name.
 * Its data is layout/drop-notice.ts.
 */

import { writeHeader, writeName } from '../../engine/wire/frame.ts';
import {
  DROP_NOTICE_DATA_LENGTH,
  DROP_NOTICE_DROPPED_OFFSET,
  DROP_NOTICE_TOTAL_OFFSET,
} from '../../engine/wire/layout/drop-notice.ts';
import { FRAME_GROUPS_OFFSET, FRAME_HEADER_LENGTH } from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { RELIABLE_MESS } from '../../engine/wire/service.ts';
import type { ClientSession } from './client-session.ts';

export const DROP_NOTICE_MESSAGE_TYPE = -32_000;
const U32_MAX = 0xffff_ffff;

export function dropNotice(session: ClientSession, daemonName: string): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH + DROP_NOTICE_DATA_LENGTH);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  writeHeader(
    frame,
    view,
    0,
    RELIABLE_MESS,
    `#!dropped#${daemonName}`,
    1,
    DROP_NOTICE_MESSAGE_TYPE,
    DROP_NOTICE_DATA_LENGTH,
  );
  writeName(frame, FRAME_GROUPS_OFFSET, session.privateName);
  const data = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH;
  frame.writeUInt32LE(Math.min(session.droppedFrames, U32_MAX), data + DROP_NOTICE_DROPPED_OFFSET);
  frame.writeUInt32LE(Math.min(session.droppedTotal, U32_MAX), data + DROP_NOTICE_TOTAL_OFFSET);
  return frame;
}
