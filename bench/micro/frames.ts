/** Client frames and records for the measurements. */

import { writeHeader, writeName } from '../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_HEADER_LENGTH,
} from '../../engine/wire/layout/frame-header.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_SESSION_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';

export const SENDER = '#sender#bench';
export const GROUP = 'bench.group';
export const GROUP_HASH = hashNameWords(nameWords(GROUP), 0);

/** Length of a frame to one group. */
export const frameBytes = (payloadBytes: number): number => FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH + payloadBytes;

/** `count` adjacent AGREED frames to one group. Like the daemon's buffers, the memory is not from Node's pool. */
export function makeFrames(count: number, payloadBytes: number, group = GROUP): Buffer<ArrayBuffer> {
  const length = frameBytes(payloadBytes);
  const bytes = Buffer.from(new ArrayBuffer(count * length));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += length) {
    writeHeader(bytes, view, at, AGREED_MESS, SENDER, 1, 0, payloadBytes);
    writeName(bytes, at + FRAME_HEADER_LENGTH, group);
  }
  return bytes;
}

/** Changes the headers of `makeFrames` to big-endian. */
export function toBigEndian(frames: Buffer, payloadBytes: number): void {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
  for (let at = 0; at < frames.length; at += frameBytes(payloadBytes)) {
    view.setInt32(at, AGREED_MESS, false);
    view.setInt32(at + FRAME_GROUP_COUNT_OFFSET, 1, false);
    view.setInt32(at + FRAME_DATA_LENGTH_OFFSET, payloadBytes, false);
  }
}

/** Adjacent run records of `framesPerRun` frames each, as in a submit queue. */
export function makeRuns(runs: number, framesPerRun: number, payloadBytes: number): Uint8Array<ArrayBuffer> {
  const frames = makeFrames(framesPerRun, payloadBytes);
  const lengthBytes = RECORD_HEADER_LENGTH + frames.length;
  const stride = alignRecord(lengthBytes);
  const bytes = new Uint8Array(runs * stride);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += stride) {
    view.setUint32(at + RECORD_LENGTH_OFFSET, lengthBytes, true);
    view.setUint8(at + RECORD_KIND_OFFSET, RecordKind.Run);
    view.setUint8(at + RECORD_SERVICE_OFFSET, AGREED_MESS);
    view.setUint16(at + RECORD_FLAGS_OFFSET, RECORD_FIRST | RECORD_LAST, true);
    view.setUint32(at + RECORD_SESSION_OFFSET, 0, true);
    view.setUint32(at + RECORD_FRAME_COUNT_OFFSET, framesPerRun, true);
    view.setInt32(at + RECORD_TARGET_HASH_OFFSET, GROUP_HASH, true);
    bytes.set(frames, at + RECORD_HEADER_LENGTH);
  }
  return bytes;
}
