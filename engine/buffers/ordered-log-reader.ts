/** One reader's side of the ordered log. */
import { broken } from '../invariant.ts';
import type { LogPosition } from './log-position.ts';
import {
  ENTRY_TERM_BUFFER,
  ENTRY_WORDS,
  LINE_WORDS,
  type OrderedLogMemory,
  type OrderedLogShape,
} from './ordered-log.ts';

export class OrderedLogReader implements LogPosition {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly shape: OrderedLogShape;
  readonly index: Int32Array;
  entry = 0;
  readonly #control: Int32Array;
  readonly #released: Int32Array;
  readonly #headSlot: number;
  readonly #releasedBase: number;
  /** Socket writes and pending ranges over each term buffer. */
  readonly #holds: Int32Array;
  /** By term buffer: terms that this reader has met in it. */
  readonly #termCounts: Int32Array;
  /** Term buffers this reader has read past but still holds. */
  readonly #passed: Uint8Array;
  pinnedTermBuffers = 0;
  #termBuffer = 0;
  #head: number;
  #tail: number;

  constructor(memory: OrderedLogMemory, reader: number) {
    this.shape = memory.shape;
    this.bytes = new Uint8Array(memory.data);
    this.view = new DataView(memory.data);
    this.index = new Int32Array(memory.index);
    this.#control = new Int32Array(memory.control);
    this.#released = new Int32Array(memory.released);
    this.#headSlot = (1 + reader) * LINE_WORDS;
    this.#releasedBase = reader * memory.shape.termBufferCount;
    this.#holds = new Int32Array(memory.shape.termBufferCount);
    this.#termCounts = new Int32Array(memory.shape.termBufferCount);
    this.#passed = new Uint8Array(memory.shape.termBufferCount);
    this.#termCounts[0] = 1;
    this.#head = Atomics.load(this.#control, this.#headSlot);
    this.#tail = this.#head;
  }

  get termBuffer(): number {
    return this.#termBuffer;
  }

  get head(): number {
    return this.#head;
  }

  get tail(): number {
    return Atomics.load(this.#control, 0);
  }

  next(): boolean {
    if (this.#head === this.#tail) {
      this.#tail = Atomics.load(this.#control, 0);
      if (this.#head === this.#tail) return false;
    }
    this.entry = (this.#head & (this.shape.indexEntries - 1)) * ENTRY_WORDS;
    this.#head = (this.#head + 1) | 0;
    const termBuffer = this.index[this.entry + ENTRY_TERM_BUFFER]!;
    if (termBuffer !== this.#termBuffer) this.#enter(termBuffer);
    return true;
  }

  finish(): void {
    if (Atomics.load(this.#control, this.#headSlot) !== this.#head)
      Atomics.store(this.#control, this.#headSlot, this.#head);
  }

  hasMore(): boolean {
    return this.#head !== Atomics.load(this.#control, 0);
  }

  hold(termBuffer: number): void {
    this.#holds[termBuffer]!++;
  }

  unhold(termBuffer: number): void {
    if (this.#holds[termBuffer]!-- <= 0)
      broken('a term buffer of the ordered log is let go as often as it is held', { termBuffer });
    if (this.#holds[termBuffer] === 0 && this.#passed[termBuffer] === 1) this.#release(termBuffer);
  }

  #enter(termBuffer: number): void {
    const left = this.#termBuffer;
    if (this.#holds[left] === 0) this.#release(left);
    else {
      this.#passed[left] = 1;
      this.pinnedTermBuffers++;
    }
    this.#termBuffer = termBuffer;
    this.#termCounts[termBuffer]!++;
  }

  #release(termBuffer: number): void {
    this.pinnedTermBuffers -= this.#passed[termBuffer]!;
    this.#passed[termBuffer] = 0;
    Atomics.store(this.#released, this.#releasedBase + termBuffer, this.#termCounts[termBuffer]!);
  }
}
