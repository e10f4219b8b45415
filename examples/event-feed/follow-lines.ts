/** Follows the lines of a growing log across rotation by renaming. */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;
const POLL_MS = 20;
/** A server notices the rotation late, and writes to the renamed file for a while. */
const LINGER_MS = 2_000;

class LogFile {
  readonly #file: FileHandle;
  readonly inode: number;
  grewAtMs = performance.now();
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, inode: number) {
    this.#file = file;
    this.inode = inode;
  }

  /** The lines that the next bytes complete; null: no new bytes for now. */
  async read(): Promise<readonly Buffer[] | null> {
    const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(CHUNK_BYTES));
    if (bytesRead === 0) return null;
    this.grewAtMs = performance.now();
    const bytes = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      lines.push(bytes.subarray(from, end));
      from = end + 1;
    }
    this.#rest = bytes.subarray(from);
    return lines;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The file at `path` now; null: it is still `current`, or not there yet. */
async function openNext(path: string, current: LogFile | undefined): Promise<LogFile | null> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { ino } = await file.stat();
  if (ino !== current?.inode) return new LogFile(file, ino);
  await file.close();
  return null;
}

/** Yields the lines at hand and waits for more. Ends after `signal`, once everything written before it is read. */
export async function* followLines(path: string, signal: AbortSignal): AsyncGenerator<readonly Buffer[], void> {
  /** The last one is at `path`; those before it were renamed. */
  let files: readonly LogFile[] = [];
  try {
    for (;;) {
      const isLastRound = signal.aborted;
      const next = await openNext(path, files.at(-1));
      if (next !== null) files = [...files, next];
      for (const file of files)
        for (let lines = await file.read(); lines !== null; lines = await file.read())
          if (lines.length > 0) yield lines;
      const over = files.slice(0, -1).filter(({ grewAtMs }) => performance.now() - grewAtMs > LINGER_MS);
      for (const file of over) await file.close();
      files = files.filter((file) => !over.includes(file));
      if (isLastRound) return;
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    for (const file of files) await file.close();
  }
}
