/**
 * Records as a delivery worker would hand them to the ring, each message marked so that the recorder knows it again: a frame
 * carries its message id in the last four bytes of the sender field, a control record in `frameCount`, which only runs use.
 */

import { readName, writeHeader, writeName } from '../../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_SENDER_OFFSET,
} from '../../../engine/wire/layout/frame-header.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_SESSION_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { hashNameWords, nameWords } from '../../../engine/wire/name-hash.ts';
import {
  alignRecord,
  type DrainStage,
  RECORD_FIRST,
  RECORD_LAST,
  RECORD_SELF_DISCARD,
  RecordKind,
} from '../../../engine/wire/record.ts';
import { AGREED_MESS, SELF_DISCARD } from '../../../engine/wire/service.ts';
import type { GroupOperation, MessageId, Service } from '../trace/trace.ts';
import { FORGED_SESSIONS } from './forged-records.ts';

const SERVICES: readonly Service[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];
const serviceBit = (service: Service): number => 1 << SERVICES.indexOf(service);
export const serviceOf = (bits: number): Service => SERVICES[31 - Math.clz32(bits & 0x3f)] ?? 'agreed';

const MARK_OFFSET = FRAME_SENDER_OFFSET + NAME_FIELD_LENGTH - 4;

export interface MulticastFrame {
  readonly message: MessageId;
  readonly sender: string;
  readonly groups: readonly string[];
  readonly service: Service;
  readonly selfDiscard: boolean;
  readonly lengthBytes: number;
}

/** A run of frames of one session that share service, targets and SELF_DISCARD. */
export function runRecord(session: number, frames: readonly MulticastFrame[]): Uint8Array {
  const first = frames[0]!;
  const headBytes = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH * first.groups.length;
  let bodyBytes = 0;
  for (const frame of frames) bodyBytes += headBytes + frame.lengthBytes;
  const { bytes, view } = emptyRecord(RecordKind.Run, serviceBit(first.service), session, bodyBytes);
  const flags = RECORD_FIRST | RECORD_LAST | (first.selfDiscard ? RECORD_SELF_DISCARD : 0);
  view.setUint16(RECORD_FLAGS_OFFSET, flags, true);
  view.setUint32(RECORD_FRAME_COUNT_OFFSET, frames.length, true);
  let at = RECORD_HEADER_LENGTH;
  for (const frame of frames) {
    const type = serviceBit(frame.service) | (frame.selfDiscard ? SELF_DISCARD : 0);
    writeHeader(bytes, view, at, type, frame.sender, frame.groups.length, 0, frame.lengthBytes);
    view.setUint32(at + MARK_OFFSET, frame.message, true);
    for (const [i, group] of frame.groups.entries())
      writeName(bytes, at + FRAME_GROUPS_OFFSET + i * NAME_FIELD_LENGTH, group);
    fillPayload(bytes, at + headBytes, frame.lengthBytes, frame.message);
    at += headBytes + frame.lengthBytes;
  }
  if (first.groups.length === 1)
    view.setInt32(RECORD_TARGET_HASH_OFFSET, hashNameWords(nameWords(first.groups[0]!), 0), true);
  return bytes;
}

/** Whether `bytes[offset, offset + lengthBytes)` is what `fillPayload` wrote for that message. */
export function isPayloadOf(message: MessageId, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
  let word = Math.imul(message, 0x9e37_79b1) | 1;
  for (let i = offset; i < offset + lengthBytes; i++) {
    word = (Math.imul(word, 0x0019_660d) + 0x3c6e_f35f) | 0;
    if (bytes[i] !== word >>> 24) return false;
  }
  return true;
}

function fillPayload(bytes: Uint8Array, offset: number, lengthBytes: number, seed: number): void {
  let word = Math.imul(seed, 0x9e37_79b1) | 1;
  for (let i = offset; i < offset + lengthBytes; i++) {
    word = (Math.imul(word, 0x0019_660d) + 0x3c6e_f35f) | 0;
    bytes[i] = word >>> 24;
  }
}

export function joinRecord(
  message: MessageId,
  session: number,
  group: string,
  member: string,
  wantsViews: boolean,
): Uint8Array {
  const record = controlRecord(RecordKind.Join, message, session, 2 * NAME_FIELD_LENGTH + 1);
  writeName(record, RECORD_HEADER_LENGTH, group);
  writeName(record, RECORD_HEADER_LENGTH + NAME_FIELD_LENGTH, member);
  record[RECORD_HEADER_LENGTH + 2 * NAME_FIELD_LENGTH] = wantsViews ? 1 : 0;
  return record;
}

export function leaveRecord(message: MessageId, session: number, group: string, member: string): Uint8Array {
  const record = controlRecord(RecordKind.Leave, message, session, 2 * NAME_FIELD_LENGTH);
  writeName(record, RECORD_HEADER_LENGTH, group);
  writeName(record, RECORD_HEADER_LENGTH + NAME_FIELD_LENGTH, member);
  return record;
}

export function disconnectRecord(message: MessageId, session: number, member: string): Uint8Array {
  const record = controlRecord(RecordKind.Disconnect, message, session, NAME_FIELD_LENGTH);
  writeName(record, RECORD_HEADER_LENGTH, member);
  return record;
}

/** The body of a state exchange as the daemon has it ordered. Bodies carry no mark. */
export function groupsRecord(body: Uint8Array): Uint8Array {
  const { bytes, view } = emptyRecord(RecordKind.Groups, AGREED_MESS, 0, body.length);
  view.setUint16(RECORD_FLAGS_OFFSET, RECORD_FIRST | RECORD_LAST, true);
  bytes.set(body, RECORD_HEADER_LENGTH);
  return bytes;
}

export function drainRecord(message: MessageId, stage: DrainStage): Uint8Array {
  const record = controlRecord(RecordKind.Drain, message, 0, 1);
  record[RECORD_HEADER_LENGTH] = stage;
  return record;
}

function controlRecord(kind: RecordKind, message: MessageId, session: number, bodyBytes: number): Uint8Array {
  const { bytes, view } = emptyRecord(kind, AGREED_MESS, session, bodyBytes);
  view.setUint16(RECORD_FLAGS_OFFSET, RECORD_FIRST | RECORD_LAST, true);
  view.setUint32(RECORD_FRAME_COUNT_OFFSET, message, true);
  return bytes;
}

function emptyRecord(kind: RecordKind, service: number, session: number, bodyBytes: number) {
  const lengthBytes = RECORD_HEADER_LENGTH + bodyBytes;
  const bytes = new Uint8Array(alignRecord(lengthBytes));
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD_LENGTH_OFFSET, lengthBytes, true);
  bytes[RECORD_KIND_OFFSET] = kind;
  bytes[RECORD_SERVICE_OFFSET] = service;
  view.setUint32(RECORD_SESSION_OFFSET, session, true);
  return { bytes, view };
}

/** One message met in a range of records. */
export interface MetMessage {
  /** Mark of a frame or of a control record; 0 for the groups layer's own records. */
  message: MessageId;
  kind: number;
  /** Client connection of its daemon; 0 for the groups layer's own records. */
  session: number;
  service: Service;
  contentHash: number;
  group: GroupOperation | null;
  /** First and last part of it are in the range. */
  first: boolean;
  last: boolean;
}

const u32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

/** Message id of the client frame that starts at `at`. */
export const markOfFrame = (bytes: Uint8Array, at: number): MessageId => u32(bytes, at + MARK_OFFSET);

/**
 * Calls `visit` for every message but forged ones in `bytes[offset, offset + lengthBytes)`: every frame of a run, and every other record. The
 * object passed is reused.
 */
export function forEachMessage(
  bytes: Uint8Array,
  offset: number,
  lengthBytes: number,
  visit: (met: MetMessage) => void,
): void {
  const met: MetMessage = {
    message: 0,
    kind: 0,
    session: 0,
    service: 'agreed',
    contentHash: 0,
    group: null,
    first: true,
    last: true,
  };
  const end = offset + lengthBytes;
  for (let at = offset; at < end; ) {
    const recordBytes = u32(bytes, at + RECORD_LENGTH_OFFSET);
    // Nobody may cut a range of records anywhere else; the engine has seen to it.
    if (recordBytes < RECORD_HEADER_LENGTH || at + recordBytes > end)
      throw new Error(`record of ${recordBytes} bytes at ${at - offset} in a range of ${lengthBytes} bytes`);
    const body = at + RECORD_HEADER_LENGTH;
    const bodyEnd = at + recordBytes;
    met.kind = bytes[at + RECORD_KIND_OFFSET]!;
    met.service = serviceOf(bytes[at + RECORD_SERVICE_OFFSET]!);
    met.first = (bytes[at + RECORD_FLAGS_OFFSET]! & RECORD_FIRST) !== 0;
    met.last = (bytes[at + RECORD_FLAGS_OFFSET]! & RECORD_LAST) !== 0;
    met.group = null;
    const session = u32(bytes, at + RECORD_SESSION_OFFSET);
    met.session = session;
    if (session >= FORGED_SESSIONS) {
      at += alignRecord(recordBytes);
      continue;
    }
    if (met.kind === RecordKind.Run) {
      let frame = body;
      do {
        const isReadable = frame + FRAME_HEADER_LENGTH <= bodyEnd;
        let next = met.first && met.last && isReadable ? frameEnd(bytes, frame) : bodyEnd;
        const isWhole = next <= bodyEnd;
        if (!isWhole) next = bodyEnd;
        // What is no frame is nobody's message: the number 0, which was never sent.
        met.message = met.first && isReadable && isWhole ? markOfFrame(bytes, frame) : 0;
        met.contentHash = contentHash(bytes, frame, next, session);
        visit(met);
        frame = next;
      } while (frame < bodyEnd);
    } else if (met.kind !== RecordKind.Padding) {
      met.message = met.kind === RecordKind.Groups || !met.last ? 0 : u32(bytes, at + RECORD_FRAME_COUNT_OFFSET);
      met.contentHash = contentHash(bytes, body, bodyEnd, session);
      if (met.first && met.last) met.group = groupOperation(bytes, at, bodyEnd, session);
      visit(met);
    }
    at += alignRecord(recordBytes);
  }
}

function frameEnd(bytes: Uint8Array, frame: number): number {
  const groupsBytes = NAME_FIELD_LENGTH * u32(bytes, frame + FRAME_GROUP_COUNT_OFFSET);
  return frame + FRAME_HEADER_LENGTH + groupsBytes + u32(bytes, frame + FRAME_DATA_LENGTH_OFFSET);
}

function groupOperation(bytes: Uint8Array, record: number, bodyEnd: number, session: number): GroupOperation | null {
  const body = record + RECORD_HEADER_LENGTH;
  const kind = bytes[record + RECORD_KIND_OFFSET]!;
  if (bodyEnd - body < (kind === RecordKind.Disconnect ? 1 : 2) * NAME_FIELD_LENGTH) return null;
  if (kind === RecordKind.Disconnect)
    return { operation: 'disconnect', session, member: readName(bytes, body), group: '' };
  if (kind !== RecordKind.Join && kind !== RecordKind.Leave) return null;
  return {
    operation: kind === RecordKind.Join ? 'join' : 'leave',
    session,
    group: readName(bytes, body),
    member: readName(bytes, body + NAME_FIELD_LENGTH),
  };
}

function contentHash(bytes: Uint8Array, start: number, end: number, session: number): number {
  let hash = (0x811c_9dc5 ^ session) | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193);
  return hash >>> 0;
}
