/**
 * The one membership frame of a session that does not count for its limit on bytes, because it may be longer than all else that may wait:
 * a view must reach its members however many they are. Positions count the bytes ever added to the session's output.
 */
import { FRAME_CONTINUED, FRAME_CONTINUES } from '../../engine/buffers/ordered-log.ts';

export class LongFrame {
  /** The last range added ends inside a frame; its rest is in the entries that follow. */
  isCut = false;
  #end = 0;
  #lengthBytes = 0;
  #isExempt = false;

  /**
   * The next range is a frame of this kind, or a part of one.
   * @param flags FRAME_CONTINUES and FRAME_CONTINUED of its entry
   * @param addedBytes position where it begins
   * @param takenBytes position up to which the socket has taken everything
   */
  add(lengthBytes: number, flags: number, addedBytes: number, takenBytes: number): void {
    this.isCut = (flags & FRAME_CONTINUES) !== 0;
    if ((flags & FRAME_CONTINUED) === 0) {
      this.#isExempt = this.#end <= takenBytes;
      if (this.#isExempt) this.#lengthBytes = 0;
    }
    if (!this.#isExempt) return;
    this.#lengthBytes += lengthBytes;
    this.#end = addedBytes + lengthBytes;
  }

  /** Bytes of it that still wait. */
  waitingBytes(takenBytes: number): number {
    return Math.max(0, Math.min(this.#lengthBytes, this.#end - takenBytes));
  }
}
