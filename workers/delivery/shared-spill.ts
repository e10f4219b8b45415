/**
 * Copies what slow sessions wait for out of one term buffer of the ordered log, each byte once. Ranges of different sessions overlap in any
 * way, so the term buffer is cut at every end of a range. Parts that the same set of sessions wants make one block: it is whole as long
 * as one of them waits for it, and gone with the last, so that no byte outlives the last session that wants it.
 *
 * Sets are distinguished by a hash, the exclusive or of their sessions' numbers. Should two sets have one hash they share a block, which
 * then lives as long as the longer of them; nothing else depends on it.
 *
 *     begin     for each session and range: mark
 *     settle    for each session and range: want
 *     copy      for each session and range: walk the parts from `partAt(start)` to `partAt(end)`
 */
import type { Block, KeptBytes } from './kept-bytes.ts';

const WORD_BITS = 32;
const TWO_21 = 0x20_0000;

export class SharedSpill {
  readonly #store: KeptBytes;
  readonly #logBytes: Buffer;
  readonly #termBytes: number;
  /** A bit for each byte of the term buffer, and one more: something begins or ends there. */
  readonly #marks: Int32Array;
  /** Marks in front of each word. */
  readonly #ranks: Int32Array;
  #base = 0;
  #markCount = 0;
  /** By mark: offset in the term buffer; changes of the set and of its size there, then what holds from there on. */
  #offsets = new Int32Array(64);
  #low = new Int32Array(64);
  #high = new Int32Array(64);
  #sizes = new Int32Array(64);
  /** By part: which block, and where in it. */
  readonly #blockOf: (Block | null)[] = [];
  #placeIn = new Int32Array(64);

  constructor(store: KeptBytes, logBytes: Buffer, termBytes: number) {
    this.#store = store;
    this.#logBytes = logBytes;
    this.#termBytes = termBytes;
    this.#marks = new Int32Array((termBytes >>> 5) + 1);
    this.#ranks = new Int32Array(this.#marks.length);
  }

  begin(termBuffer: number): void {
    this.#base = termBuffer * this.#termBytes;
    this.#marks.fill(0);
  }

  mark(start: number, end: number): void {
    this.#marks[start >>> 5]! |= 1 << (start & 31);
    this.#marks[end >>> 5]! |= 1 << (end & 31);
  }

  settle(): void {
    let count = 0;
    const marks = this.#marks;
    for (let word = 0; word < marks.length; word++) {
      this.#ranks[word] = count;
      count += bitsSet(marks[word]!);
    }
    this.#markCount = count;
    if (this.#offsets.length < count) this.#grow(count);
    this.#low.fill(0, 0, count);
    this.#high.fill(0, 0, count);
    this.#sizes.fill(0, 0, count);
    let mark = 0;
    for (let word = 0; word < marks.length; word++) {
      for (let bits = marks[word]!; bits !== 0; bits &= bits - 1)
        this.#offsets[mark++] = word * WORD_BITS + 31 - Math.clz32(bits & -bits);
    }
  }

  /** The session with the numbers `low` and `high` waits for this range. */
  want(start: number, end: number, low: number, high: number): void {
    const from = this.partAt(start);
    const to = this.partAt(end);
    this.#low[from]! ^= low;
    this.#high[from]! ^= high;
    this.#sizes[from]!++;
    this.#low[to]! ^= low;
    this.#high[to]! ^= high;
    this.#sizes[to]!--;
  }

  /** Copies all that is wanted. Blocks have no uses yet: the sessions that want them add them. */
  copy(): void {
    const groups = new Map<number, number>();
    const lengths: number[] = [];
    const groupOf = new Int32Array(this.#markCount);
    this.#blockOf.length = this.#markCount;
    let low = 0;
    let high = 0;
    let size = 0;
    for (let part = 0; part < this.#markCount; part++) {
      low ^= this.#low[part]!;
      high ^= this.#high[part]!;
      size += this.#sizes[part]!;
      groupOf[part] = -1;
      if (size === 0) continue;
      const length = this.#offsets[part + 1]! - this.#offsets[part]!;
      const key = (low >>> 0) * TWO_21 + (high >>> 11);
      let group = groups.get(key);
      if (group === undefined) {
        group = lengths.push(0) - 1;
        groups.set(key, group);
      }
      groupOf[part] = group;
      this.#placeIn[part] = lengths[group]!;
      lengths[group]! += length;
    }
    const blocks = lengths.map((length) => this.#store.allocate(length));
    for (let part = 0; part < this.#markCount; part++) {
      const block = groupOf[part]! < 0 ? null : blocks[groupOf[part]!]!;
      this.#blockOf[part] = block;
      if (block === null) continue;
      const from = this.#base + this.#offsets[part]!;
      const to = this.#base + this.#offsets[part + 1]!;
      this.#logBytes.copy(block.chunk.bytes, block.offset + this.#placeIn[part]!, from, to);
    }
  }

  /** The part that begins at a marked offset. */
  partAt(offset: number): number {
    const word = offset >>> 5;
    return this.#ranks[word]! + bitsSet(this.#marks[word]! & ((1 << (offset & 31)) - 1));
  }

  /** Of a part that is wanted. */
  blockOf(part: number): Block {
    return this.#blockOf[part]!;
  }

  /** Where the part stands in its block. */
  placeOf(part: number): number {
    return this.#placeIn[part]!;
  }

  lengthOf(part: number): number {
    return this.#offsets[part + 1]! - this.#offsets[part]!;
  }

  /** Forgets the blocks of the last copy, which belong to the sessions now. */
  end(): void {
    this.#blockOf.length = 0;
  }

  #grow(count: number): void {
    const capacity = 2 ** Math.ceil(Math.log2(count));
    this.#offsets = new Int32Array(capacity);
    this.#low = new Int32Array(capacity);
    this.#high = new Int32Array(capacity);
    this.#sizes = new Int32Array(capacity);
    this.#placeIn = new Int32Array(capacity);
  }
}

function bitsSet(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
