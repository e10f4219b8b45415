/** One reader's side of the ordered log. */
import { broken } from '../invariant.ts';
import type { LogPosition } from './log-position.ts';
import { ENTRY_SEGMENT, ENTRY_WORDS, LINE_WORDS, type OrderedLogMemory, type OrderedLogShape } from './ordered-log.ts';

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
  /** Socket writes and pending ranges over each segment. */
  readonly #holds: Int32Array;
  /** Turn of each segment as seen by this reader. */
  readonly #use: Int32Array;
  /** Segments this reader has read past but still holds. */
  readonly #passed: Uint8Array;
  pinnedSegments = 0;
  #segment = 0;
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
    this.#releasedBase = reader * memory.shape.segmentCount;
    this.#holds = new Int32Array(memory.shape.segmentCount);
    this.#use = new Int32Array(memory.shape.segmentCount);
    this.#passed = new Uint8Array(memory.shape.segmentCount);
    this.#use[0] = 1;
    this.#head = Atomics.load(this.#control, this.#headSlot);
    this.#tail = this.#head;
  }

  get segment(): number {
    return this.#segment;
  }

  get head(): number {
    return this.#head;
  }

  next(): boolean {
    if (this.#head === this.#tail) {
      this.#tail = Atomics.load(this.#control, 0);
      if (this.#head === this.#tail) return false;
    }
    this.entry = (this.#head & (this.shape.indexEntries - 1)) * ENTRY_WORDS;
    this.#head = (this.#head + 1) | 0;
    const segment = this.index[this.entry + ENTRY_SEGMENT]!;
    if (segment !== this.#segment) this.#enter(segment);
    return true;
  }

  finish(): void {
    if (Atomics.load(this.#control, this.#headSlot) !== this.#head)
      Atomics.store(this.#control, this.#headSlot, this.#head);
  }

  hasMore(): boolean {
    return this.#head !== Atomics.load(this.#control, 0);
  }

  hold(segment: number): void {
    this.#holds[segment]!++;
  }

  unhold(segment: number): void {
    if (this.#holds[segment]!-- <= 0)
      broken('a segment of the ordered log is let go as often as it is held', { segment });
    if (this.#holds[segment] === 0 && this.#passed[segment] === 1) this.#release(segment);
  }

  #enter(segment: number): void {
    const left = this.#segment;
    if (this.#holds[left] === 0) this.#release(left);
    else {
      this.#passed[left] = 1;
      this.pinnedSegments++;
    }
    this.#segment = segment;
    this.#use[segment]!++;
  }

  #release(segment: number): void {
    this.pinnedSegments -= this.#passed[segment]!;
    this.#passed[segment] = 0;
    Atomics.store(this.#released, this.#releasedBase + segment, this.#use[segment]!);
  }
}
