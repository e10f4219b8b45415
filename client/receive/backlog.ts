import { viewOf } from './receive-buffer.ts';

interface Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
  start: number;
  frameCount: number;
}

/**
 * Copies of whole frames that are not requested yet, in order of arrival, back to back: an object per chunk,
 * not per frame.
 */
export class Backlog {
  readonly #chunks: Chunk[] = [];
  #head = 0;
  #lengthBytes = 0;

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#chunks.length;
  }

  /** Keeps a copy of `bytes[start, end)`, which holds `frameCount` whole frames. */
  push(bytes: Buffer, start: number, end: number, frameCount: number): void {
    const copy = Buffer.allocUnsafeSlow(end - start);
    copy.set(bytes.subarray(start, end));
    this.#chunks.push({ bytes: copy, view: viewOf(copy), start: 0, frameCount });
    this.#lengthBytes += copy.length;
  }

  /** The oldest chunk; its unread frames begin at `start`. */
  peek(): Readonly<Chunk> | undefined {
    return this.#chunks[this.#head];
  }

  /** Gives up the oldest chunk's bytes before `start`; `frameCount` frames are left in it. */
  consume(start: number, frameCount: number): void {
    const chunk = this.#chunks[this.#head]!;
    this.#lengthBytes -= start - chunk.start;
    chunk.start = start;
    chunk.frameCount = frameCount;
    if (start < chunk.bytes.length) return;
    this.#head++;
    if (this.#head === this.#chunks.length || this.#head === COMPACT_EVERY) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#head = 0;
    this.#lengthBytes = 0;
  }
}

/** Consumed chunks are kept referenced until this many can be dropped at once. */
const COMPACT_EVERY = 32;
