/** Client frames and records to measure with. */
import { OFFSET_DATA_LENGTH, OFFSET_NUM_GROUPS, writeHeader, writeName } from '../../engine/wire/frame.ts';
import { HEADER_LENGTH, NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import {
  alignRecord,
  RECORD_FIRST,
  RECORD_FLAGS,
  RECORD_FRAME_COUNT,
  RECORD_HEADER_LENGTH,
  RECORD_KIND,
  RECORD_LAST,
  RECORD_LENGTH,
  RECORD_SERVICE,
  RECORD_SESSION,
  RECORD_TARGET_HASH,
  RecordKind,
} from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';

export const SENDER = '#sender#bench';
export const GROUP = 'bench.group';
export const GROUP_HASH = hashNameWords(nameWords(GROUP), 0);

/** Bytes of a frame to one group. */
export const frameBytes = (payloadBytes: number): number => HEADER_LENGTH + NAME_FIELD_LENGTH + payloadBytes;

/** `count` AGREED frames to one group, back to back. Node keeps the view's memory apart from its pool, as the daemon's is. */
export function makeFrames(count: number, payloadBytes: number, group = GROUP): Buffer<ArrayBuffer> {
  const length = frameBytes(payloadBytes);
  const bytes = Buffer.from(new ArrayBuffer(count * length));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += length) {
    writeHeader(bytes, view, at, AGREED_MESS, SENDER, 1, 0, payloadBytes);
    writeName(bytes, at + HEADER_LENGTH, group);
  }
  return bytes;
}

/** Turns the headers of `makeFrames` into those of a big-endian client. */
export function toBigEndian(frames: Buffer, payloadBytes: number): void {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
  for (let at = 0; at < frames.length; at += frameBytes(payloadBytes)) {
    view.setInt32(at, AGREED_MESS, false);
    view.setInt32(at + OFFSET_NUM_GROUPS, 1, false);
    view.setInt32(at + OFFSET_DATA_LENGTH, payloadBytes, false);
  }
}

/** Run records of `framesPerRun` frames each, back to back as in a submit ring. */
export function makeRuns(runs: number, framesPerRun: number, payloadBytes: number): Uint8Array<ArrayBuffer> {
  const frames = makeFrames(framesPerRun, payloadBytes);
  const lengthBytes = RECORD_HEADER_LENGTH + frames.length;
  const stride = alignRecord(lengthBytes);
  const bytes = new Uint8Array(runs * stride);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += stride) {
    view.setUint32(at + RECORD_LENGTH, lengthBytes, true);
    view.setUint8(at + RECORD_KIND, RecordKind.Run);
    view.setUint8(at + RECORD_SERVICE, AGREED_MESS);
    view.setUint16(at + RECORD_FLAGS, RECORD_FIRST | RECORD_LAST, true);
    view.setUint32(at + RECORD_SESSION, 0, true);
    view.setUint32(at + RECORD_FRAME_COUNT, framesPerRun, true);
    view.setInt32(at + RECORD_TARGET_HASH, GROUP_HASH, true);
    bytes.set(frames, at + RECORD_HEADER_LENGTH);
  }
  return bytes;
}
