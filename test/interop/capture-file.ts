import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One chunk of a recorded connection; `bytes` is null where that side closed. */
export interface CaptureLine {
  readonly connection: number;
  readonly fromClient: boolean;
  readonly bytes: Buffer | null;
  readonly atMs: number;
}

interface JsonLine {
  readonly dir: 'c2d' | 'd2c';
  readonly hex: string;
  readonly t: number;
  readonly eof?: boolean;
}

/** Reads the files of one scenario and merges their lines by time. */
export function readCapture(files: readonly string[]): readonly CaptureLine[] {
  const lines = files.flatMap((file, connection) => {
    const path = fileURLToPath(new URL(`../fixtures/captures/${file}.jsonl`, import.meta.url));
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): CaptureLine => {
        const { dir, hex, t, eof } = JSON.parse(line) as JsonLine;
        return { connection, fromClient: dir === 'c2d', bytes: eof === true ? null : Buffer.from(hex, 'hex'), atMs: t };
      });
  });
  // The clock is coarse: within one millisecond a client's bytes come before bytes that they may have caused.
  return lines.sort((a, b) => a.atMs - b.atMs || Number(b.fromClient) - Number(a.fromClient));
}

/** Everything the daemon sent on one connection. */
export const recordedReply = (lines: readonly CaptureLine[], connection: number): Buffer =>
  Buffer.concat(
    lines
      .filter((line) => line.connection === connection && !line.fromClient)
      .map((line) => line.bytes ?? Buffer.alloc(0)),
  );
