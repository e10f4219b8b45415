/** The ring agent's side of the ordered log. One writer only. */
import { broken } from '../invariant.ts';
import {
  ENTRY_COUNT,
  ENTRY_FLAGS,
  ENTRY_KIND,
  ENTRY_LENGTH,
  ENTRY_OFFSET,
  ENTRY_ORIGIN,
  ENTRY_SERVICE,
  ENTRY_SESSION,
  ENTRY_TARGET_HASH,
  ENTRY_TERM_BUFFER,
  ENTRY_WORDS,
  LINE_WORDS,
  type LogEntry,
  type OrderedLogMemory,
  type OrderedLogShape,
} from './ordered-log.ts';

export class OrderedLogWriter {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly shape: OrderedLogShape;
  /** Term buffers that have been written at least once: how much memory the log has touched. */
  termBuffersTouched = 1;
  readonly #index: Int32Array;
  readonly #control: Int32Array;
  readonly #released: Int32Array;
  /** By term buffer: terms begun in it; 0: never used. */
  readonly #termCounts: Int32Array;
  /** Written term buffers, oldest first, that may still be read. */
  readonly #retired: Int32Array;
  #retiredCount = 0;
  #termBuffer = 0;
  /** Write position inside the current term buffer. */
  #position = 0;
  /** The term buffer found by the last successful `hasRoom` when the current one is too full; -1 when none was looked for. */
  #next = -1;
  #tail: number;
  #published: number;
  #slowestHead = 0;

  constructor(memory: OrderedLogMemory) {
    this.shape = memory.shape;
    this.bytes = new Uint8Array(memory.data);
    this.view = new DataView(memory.data);
    this.#index = new Int32Array(memory.index);
    this.#control = new Int32Array(memory.control);
    this.#released = new Int32Array(memory.released);
    this.#termCounts = new Int32Array(memory.shape.termBufferCount);
    this.#retired = new Int32Array(memory.shape.termBufferCount);
    this.#termCounts[0] = 1;
    this.#tail = Atomics.load(this.#control, 0);
    this.#published = this.#tail;
  }

  /** Entries appended so far, modulo 2^32. */
  get tail(): number {
    return this.#tail;
  }

  /**
   * Whether `entries` entries with `lengthBytes` of bytes in all can be written now: in what is left of the current term buffer, or all in
   * the next one, so one free term buffer is enough.
   */
  hasRoom(entries: number, lengthBytes: number): boolean {
    if (this.shape.indexEntries - ((this.#tail - this.#slowestHead) >>> 0) < entries) {
      this.#slowestHead = this.#findSlowestHead();
      if (this.shape.indexEntries - ((this.#tail - this.#slowestHead) >>> 0) < entries) return false;
    }
    return this.#position + lengthBytes <= this.shape.termBytes || this.#findFree() !== -1;
  }

  /**
   * Place for `lengthBytes` contiguous bytes; moves to another term buffer when the current one is too full.
   * @returns the offset in `bytes`, or -1 when no term buffer is free
   */
  reserve(lengthBytes: number): number {
    const { termBytes } = this.shape;
    if (lengthBytes > termBytes)
      broken('an entry fits into a term buffer of the ordered log', { lengthBytes, termBytes });
    if (this.#position + lengthBytes > termBytes && !this.#takeNextTermBuffer()) return -1;
    const offset = this.#termBuffer * this.shape.termBytes + this.#position;
    this.#position += lengthBytes;
    return offset;
  }

  /**
   * Adds an entry for the `lengthBytes` last reserved at `offset`. Not visible to readers before `publish`.
   * The caller has asked `hasRoom`.
   */
  append(entry: LogEntry, offset: number, lengthBytes: number): void {
    const index = this.#index;
    if (offset < 0) broken('an entry of the ordered log has room in a term buffer', { offset, lengthBytes });
    const base = (this.#tail & (this.shape.indexEntries - 1)) * ENTRY_WORDS;
    index[base + ENTRY_KIND] = entry.kind;
    index[base + ENTRY_TERM_BUFFER] = this.#termBuffer;
    index[base + ENTRY_OFFSET] = offset - this.#termBuffer * this.shape.termBytes;
    index[base + ENTRY_LENGTH] = lengthBytes;
    index[base + ENTRY_COUNT] = entry.count;
    index[base + ENTRY_SERVICE] = entry.service;
    index[base + ENTRY_FLAGS] = entry.flags;
    index[base + ENTRY_SESSION] = entry.session;
    index[base + ENTRY_TARGET_HASH] = entry.targetHash;
    index[base + ENTRY_ORIGIN] = entry.origin;
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Makes all appended entries visible. @returns whether there were any */
  publish(): boolean {
    if (this.#published === this.#tail) return false;
    Atomics.store(this.#control, 0, this.#tail);
    this.#published = this.#tail;
    return true;
  }

  #findSlowestHead(): number {
    let slowest = this.#tail;
    let longest = 0;
    for (let reader = 0; reader < this.shape.readers; reader++) {
      const head = Atomics.load(this.#control, (1 + reader) * LINE_WORDS);
      const lag = (this.#tail - head) >>> 0;
      if (lag >= longest) {
        longest = lag;
        slowest = head;
      }
    }
    return slowest;
  }

  #takeNextTermBuffer(): boolean {
    const next = this.#findFree();
    if (next === -1) return false;
    this.#next = -1;
    this.#removeRetired(next);
    this.#retired[this.#retiredCount++] = this.#termBuffer;
    this.#termBuffer = next;
    this.#position = 0;
    if (this.#termCounts[next] === 0) this.termBuffersTouched++;
    this.#termCounts[next]!++;
    return true;
  }

  #findFree(): number {
    if (this.#next !== -1) return this.#next;
    for (let i = 0; i < this.#retiredCount; i++) {
      const termBuffer = this.#retired[i]!;
      if (this.#isReleased(termBuffer)) {
        this.#next = termBuffer;
        return termBuffer;
      }
    }
    if (this.termBuffersTouched < this.shape.termBufferCount) this.#next = this.termBuffersTouched;
    return this.#next;
  }

  #isReleased(termBuffer: number): boolean {
    const termCount = this.#termCounts[termBuffer]!;
    for (let reader = 0; reader < this.shape.readers; reader++) {
      if (Atomics.load(this.#released, reader * this.shape.termBufferCount + termBuffer) !== termCount) return false;
    }
    return true;
  }

  #removeRetired(termBuffer: number): void {
    const at = this.#retired.subarray(0, this.#retiredCount).indexOf(termBuffer);
    if (at === -1) return;
    this.#retired.copyWithin(at, at + 1, this.#retiredCount);
    this.#retiredCount--;
  }
}
