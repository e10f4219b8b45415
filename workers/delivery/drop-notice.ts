/**
 * Tells a client how many UNRELIABLE messages it missed under the policy `drop-unreliable`: nothing that was accepted is lost silently.
 * The notice is a RELIABLE message to the client's private group. Its sender cannot be a client: `!` is no legal byte in a
 * connection's name.
 *
 * Data: u32 messages dropped since the last notice, u32 dropped in all, both little-endian and saturating.
 */
import { OFFSET_GROUPS, writeHeader, writeName } from '../../engine/wire/frame.ts';
import { HEADER_LENGTH, NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { RELIABLE_MESS } from '../../engine/wire/service.ts';
import type { ClientSession } from './session.ts';

export const DROP_NOTICE_MESSAGE_TYPE = -32_000;
const DATA_LENGTH = 8;
const U32_MAX = 0xffff_ffff;

export function dropNotice(session: ClientSession, daemonName: string): Buffer {
  const frame = Buffer.alloc(HEADER_LENGTH + NAME_FIELD_LENGTH + DATA_LENGTH);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  writeHeader(frame, view, 0, RELIABLE_MESS, `#!dropped#${daemonName}`, 1, DROP_NOTICE_MESSAGE_TYPE, DATA_LENGTH);
  writeName(frame, OFFSET_GROUPS, session.privateName);
  frame.writeUInt32LE(Math.min(session.droppedFrames, U32_MAX), HEADER_LENGTH + NAME_FIELD_LENGTH);
  frame.writeUInt32LE(Math.min(session.droppedTotal, U32_MAX), HEADER_LENGTH + NAME_FIELD_LENGTH + 4);
  return frame;
}
