/** A ring of ranges of the ordered log, oldest first, in one array: nothing is allocated for a range. */
const WORDS = 5;
export const RANGE_TERM_BUFFER = 0;
export const RANGE_START = 1;
export const RANGE_END = 2;
export const RANGE_FRAMES = 3;
/** The term that the range is of: the worker counts terms as it enters them. */
export const RANGE_TERM = 4;
/** In place of a range's term buffer: a frame of the daemon's own, which waits its turn among the ranges. */
export const OWNED = -1;

const FEWEST_RANGES = 4;
/** An array for more is given back when the queue is empty. */
const KEEP_RANGES = 512;

export class RangeQueue {
  /** Field F of range i is `words[at(i) + F]`. */
  words = new Int32Array(WORDS * FEWEST_RANGES);
  count = 0;
  #first = 0;

  /** Memory beyond what an empty queue may keep. */
  get extraBytes(): number {
    return Math.max(0, this.words.length - WORDS * KEEP_RANGES) * 4;
  }

  /** Index in `words` of range `i`, 0 for the oldest. */
  at(i: number): number {
    const capacity = this.words.length / WORDS;
    const slot = this.#first + i;
    return (slot < capacity ? slot : slot - capacity) * WORDS;
  }

  push(termBuffer: number, start: number, end: number, frames: number, term: number): void {
    if (this.count * WORDS === this.words.length) this.#grow();
    const at = this.at(this.count++);
    const { words } = this;
    words[at + RANGE_TERM_BUFFER] = termBuffer;
    words[at + RANGE_START] = start;
    words[at + RANGE_END] = end;
    words[at + RANGE_FRAMES] = frames;
    words[at + RANGE_TERM] = term;
  }

  /** Removes `ranges` ranges behind the first `kept`, which move up to close the hole. */
  remove(kept: number, ranges: number): void {
    if (ranges === 0) return;
    for (let i = kept - 1; i >= 0; i--) this.words.copyWithin(this.at(i + ranges), this.at(i), this.at(i) + WORDS);
    this.#first = (this.#first + ranges) % (this.words.length / WORDS);
    this.count -= ranges;
    if (this.count === 0 && this.words.length > WORDS * KEEP_RANGES) this.clear();
  }

  clear(): void {
    this.words = new Int32Array(WORDS * FEWEST_RANGES);
    this.count = 0;
    this.#first = 0;
  }

  #grow(): void {
    const grown = new Int32Array(this.words.length * 2);
    for (let i = 0; i < this.count; i++) grown.set(this.words.subarray(this.at(i), this.at(i) + WORDS), i * WORDS);
    this.words = grown;
    this.#first = 0;
  }
}
