/** The scan of client frames, the only work of the daemon per message. */
import { FrameScanner, ScanStatus, SenderIdentity } from '../../../engine/wire/frame-scanner.ts';
import { frameBytes, makeFrames, SENDER, toBigEndian } from '../frames.ts';
import type { MicroFamily, MicroRow } from '../micro-row.ts';

/** The read buffer of a delivery agent. */
const BUFFER_BYTES = 128 * 1024;
const MAX_RUN_BYTES = 64 * 1024;
/** Calls must take much longer than the timing itself. */
const MIN_FRAMES = 1024;
const PAYLOADS = [64, 256, 1024, 8192];

/** @returns number of frames; fewer than expected means a bug in this benchmark */
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
  // Scanning swaps big-endian headers in place, so they must be restored after each pass.
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
