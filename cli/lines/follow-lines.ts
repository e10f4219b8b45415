/** The lines of a file that grows, through rotation by renaming and by truncation. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileReason } from '../../daemon/file-reason.ts';
import { LineSplitter, type LineSplitterOptions } from './line-splitter.ts';

export interface FollowOptions extends LineSplitterOptions {
  /** Begin at the end of the file instead of its start; the rest of a line begun before is left out. Default false. */
  readonly fromEnd?: boolean;
  /** How often a quiet file is looked at; default 100. */
  readonly pollMs?: number;
  /**
   * How long a file that was renamed away is still read after its last growth, since its writer may learn of the rotation
   * late; default 5,000.
   */
  readonly lingerMs?: number;
  /** Called when everything at hand was given out and the file is waited for, again after every wait. */
  readonly onWaiting?: () => void;
  /** Called when something happens to the file that its reader should know: it is gone, cut, replaced, cannot be read, or can again. */
  readonly onNote?: (text: string) => void;
  /** Called when following ends. @param bytes of lines that had not ended, which are not given out */
  readonly onUnfinished?: (bytes: number) => void;
  /** Ends the following once everything written so far is read. */
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Yields the lines that are at hand, never an empty list, and waits for more. A file that does not exist is waited for, and so is one that
 * cannot be opened or read for the time being, or that something else has taken the place of. Ends only by the signal. An unfinished last
 * line is given out when its file is rotated, not when following ends.
 *
 * Looking at sizes cannot tell a file that was truncated and has outgrown its old length between two looks; its writer must
 * rotate by renaming if it is that fast.
 * @throws (rejects) LineTooLongError under the policy `fail`; NotAFileError when there is something else at `path` from the start
 */
export async function* followLines(path: string, options: FollowOptions): AsyncGenerator<readonly Buffer[], void> {
  const { pollMs = 100, lingerMs = 5000, signal, onNote = () => undefined } = options;
  const watch = new PathWatch(path, onNote);
  /** In the order they were at `path`; only the last one still is. */
  let files: FollowedFile[] = [];
  let fromEnd = options.fromEnd === true;
  try {
    for (;;) {
      // Whatever was written before the signal came is seen by the round after it.
      const isLastRound = signal?.aborted === true;
      const next = await watch.openIfOther(files.at(-1), options, fromEnd);
      if (next !== null) files.push(next);
      // What appears at an empty path is new from its first byte; what only could not be opened is not.
      fromEnd &&= next === null && !watch.wasEmpty;
      let grew = false;
      for (const file of files) {
        for (let lines = await watch.read(file); lines !== null; lines = await watch.read(file)) {
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
    options.onUnfinished?.(files.reduce((sum, file) => sum + file.unfinishedBytes, 0));
    for (const file of files) await file.close();
  }
}

class FollowedFile {
  readonly #handle: FileHandle;
  readonly #identity: FileIdentity;
  readonly #splitter: LineSplitter;
  #position: number;
  /** The bytes in front of the position were never read, so whether they end with a line is still to be seen. */
  #startsBlind: boolean;
  #inSkippedLine = false;
  #lastGrowthMs = performance.now();

  readonly #onNote: (text: string) => void;

  /** @param startBytes where to begin; the rest of a line begun before is left out */
  constructor(handle: FileHandle, identity: FileIdentity, startBytes: number, options: FollowOptions) {
    this.#handle = handle;
    this.#identity = identity;
    this.#position = startBytes;
    this.#startsBlind = startBytes > 0;
    this.#splitter = new LineSplitter(options);
    this.#onNote = options.onNote ?? (() => undefined);
  }

  get unfinishedBytes(): number {
    return this.#splitter.restBytes;
  }

  /** The file is held open, so its inode is not given to another one meanwhile. */
  is({ dev, ino }: FileIdentity): boolean {
    return this.#identity.dev === dev && this.#identity.ino === ino;
  }

  quietMs(): number {
    return performance.now() - this.#lastGrowthMs;
  }

  /**
   * The lines completed by the next bytes, which may be none; null when there are no more bytes for now.
   * @throws (rejects) the error of the system; reading goes on where it was when it is tried again
   */
  async read(): Promise<readonly Buffer[] | null> {
    this.#splitter.check();
    const { size } = await this.#handle.stat();
    if (size < this.#position) return this.#startAgain();
    if (size === this.#position) return null;
    if (this.#startsBlind) await this.#lookBack();
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

  /** Whatever the system says: the file was only read. */
  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }

  async #lookBack(): Promise<void> {
    const last = Buffer.alloc(1);
    await this.#handle.read(last, 0, 1, this.#position - 1);
    this.#inSkippedLine = last[0] !== NEWLINE;
    this.#startsBlind = false;
  }

  #startAgain(): readonly Buffer[] {
    this.#onNote('was truncated; it is read from its start again');
    this.#position = 0;
    this.#startsBlind = false;
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

/** Something else than a regular file: it has no size to follow. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
}

/** What is at a path, with whatever goes wrong with it said once until it is right again. */
class PathWatch {
  readonly #path: string;
  readonly #onNote: (text: string) => void;
  /** What is wrong with the path, and with the files that were opened there; null: nothing. */
  readonly #trouble: Record<'path' | 'file', string | null> = { path: null, file: null };
  /** Nothing was there at some look. */
  wasEmpty = false;
  #opened = false;
  #looked = false;

  constructor(path: string, onNote: (text: string) => void) {
    this.#path = path;
    this.#onNote = onNote;
  }

  /** Opens what is at the path now, unless it is `current` or there is nothing that could be opened. */
  async openIfOther(
    current: FollowedFile | undefined,
    options: FollowOptions,
    fromEnd: boolean,
  ): Promise<FollowedFile | null> {
    let handle: FileHandle | null = null;
    try {
      const found = await stat(this.#path);
      if (!found.isFile())
        throw new NotAFileError(
          `is ${found.isDirectory() ? 'a folder' : 'not a regular file'}, and cannot be followed`,
        );
      if (current?.is(found) === true) {
        this.#allIsWell('path');
        return null;
      }
      handle = await open(this.#path, 'r');
      const identity = await handle.stat();
      if (current?.is(identity) === true) {
        await handle.close();
        return null;
      }
      this.#allIsWell('path');
      if (this.#opened) this.#onNote('was replaced; the new file is followed');
      this.#opened = true;
      return new FollowedFile(handle, identity, fromEnd ? identity.size : 0, options);
    } catch (error) {
      await handle?.close().catch(() => undefined);
      // At the start, the path itself is wrong.
      if (error instanceof NotAFileError && !this.#looked) throw new NotAFileError(`${this.#path} ${error.message}`);
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') {
        this.wasEmpty = true;
        this.#say('path', 'is not there; it is waited for');
      } else if (error instanceof NotAFileError) this.#say('path', `${message}; a file is waited for`);
      else this.#say('path', `cannot be opened: ${fileReason(error)}; it is tried again`);
      return null;
    } finally {
      this.#looked = true;
    }
  }

  /** The lines completed by the next bytes of a file; null when there are no more for now, or they cannot be read. */
  async read(file: FollowedFile): Promise<readonly Buffer[] | null> {
    try {
      const lines = await file.read();
      if (lines !== null) this.#allIsWell('file');
      return lines;
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
      this.#say('file', `cannot be read: ${fileReason(error)}; it is tried again`);
      return null;
    }
  }

  #say(about: 'path' | 'file', trouble: string): void {
    if (trouble === this.#trouble[about]) return;
    this.#trouble[about] = trouble;
    this.#onNote(trouble);
  }

  #allIsWell(about: 'path' | 'file'): void {
    if (this.#trouble[about] === null) return;
    this.#trouble[about] = null;
    this.#onNote(about === 'path' ? 'is there again' : 'can be read again');
  }
}
