/** Follows the lines of a growing file across rotation by renaming and by truncation. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileReason } from '../../daemon/file-reason.ts';
import { LineSplitter, type LineSplitterOptions } from './line-splitter.ts';

export interface FollowOptions extends LineSplitterOptions {
  /** Begin at the end of the file instead of its start, and skip the rest of an unfinished line. Default false. */
  readonly fromEnd?: boolean;
  /** Interval for checking a quiet file; default 100. */
  readonly pollMs?: number;
  /**
   * How long a renamed file is still read after its last growth, because its writer may notice the rotation late; default
   * 5,000.
   */
  readonly lingerMs?: number;
  /** Called before each wait, when all lines at hand were yielded. */
  readonly onWaiting?: () => void;
  /** Called when the file is gone, truncated, replaced or unreadable, and when that is over. */
  readonly onNote?: (text: string) => void;
  /** Called at the end. @param bytes of unfinished lines, which are not yielded */
  readonly onUnfinished?: (bytes: number) => void;
  /** Ends once everything written so far is read. */
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Yields the lines at hand, never an empty list, and waits for more. Waits also for a file that does not exist, cannot be opened or read
 * for now, or was replaced by something else. Only the signal ends it. Yields an unfinished last line when its file is rotated, but not at
 * the end.
 *
 * A file that is truncated and grows beyond its old length between two checks looks like one that only grew; such a fast writer must
 * rotate by renaming.
 * @throws (rejects) LineTooLongError under the policy `fail`; NotAFileError when `path` is not a regular file at the start
 */
export async function* followLines(path: string, options: FollowOptions): AsyncGenerator<readonly Buffer[], void> {
  const { pollMs = 100, lingerMs = 5000, signal, onNote = () => undefined } = options;
  const watch = new PathWatch(path, onNote);
  /** In the order in which they were at `path`; only the last one is still there. */
  let files: FollowedFile[] = [];
  let fromEnd = options.fromEnd === true;
  try {
    for (;;) {
      // The round after the signal reads everything that was written before it.
      const isLastRound = signal?.aborted === true;
      const next = await watch.openIfOther(files.at(-1), options, fromEnd);
      if (next !== null) files.push(next);
      // A file that appears at an empty path is new from its first byte; one that could not be opened before is not.
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
  /** Whether the byte before the position ends a line is not known yet. */
  #startsBlind: boolean;
  #inSkippedLine = false;
  #lastGrowthMs = performance.now();

  readonly #onNote: (text: string) => void;

  /** @param startBytes where to begin; the rest of an unfinished line is skipped */
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

  /** An open file keeps its inode, so no other file gets the same one meanwhile. */
  is({ dev, ino }: FileIdentity): boolean {
    return this.#identity.dev === dev && this.#identity.ino === ino;
  }

  quietMs(): number {
    return performance.now() - this.#lastGrowthMs;
  }

  /**
   * The lines that the next bytes complete, perhaps none; null when there are no more bytes for now.
   * @throws (rejects) the error of the system; a retry continues at the same position
   */
  async read(): Promise<readonly Buffer[] | null> {
    this.#splitter.check();
    const { size } = await this.#handle.stat();
    if (size < this.#position) return this.#startAgain();
    if (size === this.#position) return null;
    if (this.#startsBlind) await this.#lookBack();
    // Lines are views of the chunk and outlive this call, so each chunk needs its own memory.
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

  /** Errors do not matter: the file was only read. */
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
    this.#onNote('was truncated; reading it from its start');
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

/** Not a regular file, so it has no size to follow. */
export class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
}

/** Opens what is at a path. Reports each trouble once, and its end. */
class PathWatch {
  readonly #path: string;
  readonly #onNote: (text: string) => void;
  /** Trouble with the path, and with the files opened there; null: none. */
  readonly #trouble: Record<'path' | 'file', string | null> = { path: null, file: null };
  /** Some check found nothing at the path. */
  wasEmpty = false;
  #opened = false;
  #looked = false;

  constructor(path: string, onNote: (text: string) => void) {
    this.#path = path;
    this.#onNote = onNote;
  }

  /** Opens what is at the path now. Null: it is still `current`, or cannot be opened. */
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
      // At the start this is a wrong argument.
      if (error instanceof NotAFileError && !this.#looked) throw new NotAFileError(`${this.#path} ${error.message}`);
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') {
        this.wasEmpty = true;
        this.#say('path', 'does not exist; waiting for it');
      } else if (error instanceof NotAFileError) this.#say('path', `${message}; waiting for a file`);
      else this.#say('path', `cannot be opened: ${fileReason(error)}; retrying`);
      return null;
    } finally {
      this.#looked = true;
    }
  }

  /** The lines that the next bytes of a file complete; null when there are none for now, or they cannot be read. */
  async read(file: FollowedFile): Promise<readonly Buffer[] | null> {
    try {
      const lines = await file.read();
      if (lines !== null) this.#allIsWell('file');
      return lines;
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
      this.#say('file', `cannot be read: ${fileReason(error)}; retrying`);
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
    this.#onNote(about === 'path' ? 'is back' : 'can be read again');
  }
}
