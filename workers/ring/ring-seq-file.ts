/**
 * The highest ring sequence number a daemon has used, kept over its incarnations (ring-protocol.md, EVS-4 and 3.11). Clients know a daemon
 * membership by its leader's address and this number, so a daemon that is started again must not use one a second time: not
 * within the second of its last membership either, nor when the numbers have run ahead of the clock.
 *
 * Two files, because a disk may take seconds for what the ring can wait for milliseconds only:
 *
 * - `latest-FILE` is written before any client sees the number, and not forced to the disk: it survives the process, not the machine. It is
 *   written beside and renamed, so it is whole as long as the machine runs; after a power cut it may be empty, and is ignored then.
 * - `FILE` follows without making anyone wait: forced to the disk, renamed, folder forced. It is whole always. Once it has the number,
 *   `latest-FILE` is removed.
 */
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Before the name, not behind it: `a.latest` may be the name of a daemon. */
const beside = (path: string, mark: string): string => join(dirname(path), `${mark}${basename(path)}`);

export const latestFile = (path: string): string => beside(path, 'latest-');

/** Where a state file is written before it takes its place. */
export const temporaryFile = (path: string): string => beside(path, '.new-');

export class RingSeqFile {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  #value = 0;
  #isWriting = false;

  /** @param failed called with numbers that could not be forced to the disk */
  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /**
   * Returns when an incarnation that follows this one on the same machine will know the number.
   * @throws the error of the file system
   */
  store(ringSeq: number): void {
    const latest = latestFile(this.#path);
    writeWhole(latest, ringSeq);
    this.#value = ringSeq;
    if (!this.#isWriting) void this.#force();
  }

  async #force(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let forced = -1; forced !== this.#value; ) {
        forced = this.#value;
        await forceToDisk(this.#path, forced);
      }
      // Nothing came in between: the thread that stores is this one.
      rmSync(latestFile(this.#path), { force: true });
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isWriting = false;
    }
  }
}

function writeWhole(path: string, value: number): void {
  const temporary = temporaryFile(path);
  // Its own bytes in a file of its own: what a full disk cuts off is never renamed.
  const file = openSync(temporary, 'w');
  try {
    writeFileSync(file, `${value}\n`);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/**
 * Resolves when `value` and its line end are on the disk; a crash before that, of the machine too, leaves what was there. @throws (rejects)
 */
export async function forceToDisk(path: string, value: number): Promise<void> {
  const temporary = temporaryFile(path);
  await using(await open(temporary, 'w'), async (file) => {
    await file.writeFile(`${value}\n`);
    await file.sync();
  });
  await rename(temporary, path);
  await using(await open(dirname(path), 'r'), (folder) => folder.sync());
}

async function using(file: FileHandle, use: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
