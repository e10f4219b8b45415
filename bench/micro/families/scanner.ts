/** The walk over what clients send: the one place where the daemon works per message. */
import { FrameScanner, ScanStatus, SenderIdentity } from '../../../engine/wire/frame-scanner.ts';
import { frameBytes, makeFrames, SENDER, toBigEndian } from '../frames.ts';
import type { MicroFamily, MicroRow } from '../micro-row.ts';

/** As much as a delivery agent reads at once. */
const BUFFER_BYTES = 128 * 1024;
const MAX_RUN_BYTES = 64 * 1024;
/** Calls must be long against what it takes to time one. */
const MIN_FRAMES = 1024;
const PAYLOADS = [64, 256, 1024, 8192];

/** @returns frames found; fewer than there are would be a mistake of this benchmark */
function scanAll(scanner: FrameScanner, view: DataView, sender: SenderIdentity): number {
  let frames = 0;
  for (let at = 0; at < view.byteLength; at = scanner.end) {
    if (scanner.scan(view, at, view.byteLength, sender) !== ScanStatus.Run) return -1;
    frames += scanner.frameCount;
  }
  return frames;
}

function row(payloadBytes: number, order: 'little' | 'big'): MicroRow {
  const count = Math.floor(BUFFER_BYTES / frameBytes(payloadBytes));
  const frames = makeFrames(count, payloadBytes);
  // Scanning turns big-endian headers round in place, so there they must be turned back after each pass.
  const passes = order === 'little' ? Math.ceil(MIN_FRAMES / count) : 1;
  const view = new DataView(frames.buffer);
  const scanner = new FrameScanner(MAX_RUN_BYTES);
  const sender = new SenderIdentity(SENDER);
  const base = {
    kind: 'loop',
    title: `${payloadBytes} B payload, ${order}-endian client`,
    operations: count * passes,
    bytesPerOperation: frameBytes(payloadBytes),
    run() {
      for (let pass = 0; pass < passes; pass++) {
        if (scanAll(scanner, view, sender) !== count) throw new Error('the scanner refused a frame');
      }
    },
  } as const;
  return order === 'little' ? { ...base, decides: true } : { ...base, before: () => toBigEndian(frames, payloadBytes) };
}

export const scannerFamily: MicroFamily = {
  id: 'scanner',
  title: 'frame scanner, per frame',
  prepare: () => ({
    rows: [...PAYLOADS.map((bytes) => row(bytes, 'little')), ...PAYLOADS.map((bytes) => row(bytes, 'big'))],
  }),
};
