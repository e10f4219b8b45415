/** The lines of a file that grows, through rotation by renaming and by truncation. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LineSplitter } from './line-splitter.ts';

export interface FollowOptions {
  /** Begin at the end of the file instead of its start; the rest of a line begun before is left out. Default false. */
  readonly fromEnd?: boolean;
  /** Longest line, in bytes. */
  readonly maxLineBytes: number;
  /** How often a quiet file is looked at; default 100. */
  readonly pollMs?: number;
  /**
   * How long a file that was renamed away is still read after its last growth, since its writer may learn of the rotation
   * late; default 5,000.
   */
  readonly lingerMs?: number;
  /** Called when everything at hand was given out and the file is waited for, again after every wait. */
  readonly onWaiting?: () => void;
  /** Ends the following once everything written so far is read. */
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Yields the lines that are at hand, never an empty list, and waits for more. A file that does not exist is waited for. Ends only by
 * the signal. An unfinished last line is given out when its file is rotated, not when following ends.
 *
 * Looking at sizes cannot tell a file that was truncated and has outgrown its old length between two looks; its writer must
 * rotate by renaming if it is that fast.
 * @throws (rejects) LineTooLongError, or the error of a file that cannot be read
 */
export async function* followLines(path: string, options: FollowOptions): AsyncGenerator<readonly Buffer[], void> {
  const { pollMs = 100, lingerMs = 5000, signal } = options;
  /** In the order they were at `path`; only the last one still is. */
  let files: FollowedFile[] = [];
  let fromEnd = options.fromEnd === true;
  try {
    for (;;) {
      // Whatever was written before the signal came is seen by the round after it.
      const isLastRound = signal?.aborted === true;
      const next = await openIfOther(path, files.at(-1), options.maxLineBytes);
      if (next !== null) {
        if (fromEnd) await next.skipToEnd();
        files.push(next);
      }
      // What appears from now on is new from its first byte.
      fromEnd = false;
      let grew = false;
      for (const file of files) {
        for (let lines = await file.read(); lines !== null; lines = await file.read()) {
          grew = true;
          if (lines.length > 0) yield lines;
        }
      }
      const current = files.at(-1);
      const kept: FollowedFile[] = [];
      for (const file of files) {
        if (file === current || file.quietMs() < lingerMs) kept.push(file);
        else {
          const rest = file.rest();
          if (rest !== null) yield [rest];
          await file.close();
        }
      }
      files = kept;
      if (isLastRound) return;
      if (grew) continue;
      options.onWaiting?.();
      await delay(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  } finally {
    for (const file of files) await file.close();
  }
}

class FollowedFile {
  readonly #handle: FileHandle;
  readonly #identity: FileIdentity;
  readonly #splitter: LineSplitter;
  #position = 0;
  #inSkippedLine = false;
  #lastGrowthMs = performance.now();

  constructor(handle: FileHandle, identity: FileIdentity, maxLineBytes: number) {
    this.#handle = handle;
    this.#identity = identity;
    this.#splitter = new LineSplitter(maxLineBytes);
  }

  /** The file is held open, so its inode is not given to another one meanwhile. */
  is({ dev, ino }: FileIdentity): boolean {
    return this.#identity.dev === dev && this.#identity.ino === ino;
  }

  quietMs(): number {
    return performance.now() - this.#lastGrowthMs;
  }

  async skipToEnd(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size === 0) return;
    const last = Buffer.alloc(1);
    await this.#handle.read(last, 0, 1, size - 1);
    this.#inSkippedLine = last[0] !== NEWLINE;
    this.#position = size;
  }

  /** The lines completed by the next bytes, which may be none; null when there are no more bytes for now. */
  async read(): Promise<readonly Buffer[] | null> {
    const { size } = await this.#handle.stat();
    if (size < this.#position) return this.#startAgain();
    if (size === this.#position) return null;
    // Lines are views of the chunk and outlive this call, so each chunk has memory of its own.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - this.#position));
    const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, this.#position);
    if (bytesRead === 0) return null;
    this.#position += bytesRead;
    this.#lastGrowthMs = performance.now();
    return this.#splitter.push(this.#withoutSkipped(chunk.subarray(0, bytesRead)));
  }

  rest(): Buffer | null {
    return this.#splitter.end();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #startAgain(): readonly Buffer[] {
    this.#position = 0;
    this.#inSkippedLine = false;
    const rest = this.#splitter.end();
    return rest === null ? [] : [rest];
  }

  #withoutSkipped(chunk: Buffer): Buffer {
    if (!this.#inSkippedLine) return chunk;
    const end = chunk.indexOf(NEWLINE);
    if (end === -1) return chunk.subarray(chunk.length);
    this.#inSkippedLine = false;
    return chunk.subarray(end + 1);
  }
}

interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** Opens what is at `path` now, unless it is `current` or there is nothing. */
async function openIfOther(
  path: string,
  current: FollowedFile | undefined,
  maxLineBytes: number,
): Promise<FollowedFile | null> {
  try {
    if (current?.is(await stat(path)) === true) return null;
    const handle = await open(path, 'r');
    const identity = await handle.stat();
    if (current?.is(identity) !== true) return new FollowedFile(handle, identity, maxLineBytes);
    await handle.close();
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
