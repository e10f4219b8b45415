/**
 * The ring sequence numbers that runs of this daemon may have used (ring-protocol.md, EVS-4 and 3.11). Clients know a daemon membership by
 * its leader's address and this number, so a daemon that is started again must not use one a second time: not within the
 * second of its last membership either, nor when the numbers have run ahead of the clock.
 *
 * What is on the disk is ahead of what is in use, so that a crash at any time leaves a number that was never used.
 */
import { join } from 'node:path';
import { readNumber, writeNumber } from './durable-number.ts';

const FILE_NAME = 'ring-seq';
/** Numbers reserved at a time; each restart skips what is left of them. */
const RESERVED = 16;
/** With fewer than this left, more are reserved. Rings that form between two looks must not use them up. */
const LOW = 8;
const LOOK_EVERY_MS = 100;

export class RingSeqReserve {
  /** Highest number that an earlier run may have used. */
  readonly floor: number;
  readonly #path: string | null;
  #reserved: number;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string | null, floor: number, reserved: number) {
    this.#path = path;
    this.floor = floor;
    this.#reserved = reserved;
  }

  /**
   * @param stateDir null: nothing is kept, and the floor is the present second, which is as good as the clock
   * @throws (rejects) when the folder cannot be written
   */
  static async open(stateDir: string | null, daemonName: string): Promise<RingSeqReserve> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    if (stateDir === null) return new RingSeqReserve(null, nowSeconds, 0);
    const path = join(stateDir, `${FILE_NAME}-${daemonName}`);
    const floor = await readNumber(path, 'a ring sequence number');
    const reserved = Math.max(floor, nowSeconds) + RESERVED;
    await writeNumber(path, reserved);
    return new RingSeqReserve(path, floor, reserved);
  }

  /**
   * Keeps the reserve ahead of the numbers in use until `close`.
   * @param current the highest number in use
   * @param failed told why the disk did not take a number; it is tried again
   */
  watch(current: () => number, failed: (error: Error) => void): void {
    const path = this.#path;
    if (path === null) return;
    let isWriting = false;
    this.#timer = setInterval(() => {
      if (isWriting || current() + LOW <= this.#reserved) return;
      const reserved = current() + RESERVED;
      isWriting = true;
      this.#writing = writeNumber(path, reserved)
        .then(() => {
          this.#reserved = reserved;
        }, failed)
        .finally(() => {
          isWriting = false;
        });
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#writing;
  }
}
