/**
 * The ordered log: finished client frames in delivery order, written by the ring agent, read by K delivery agents.
 *
 * Two parts. *Segments* hold bytes: frames back to back, so that what one session receives in a row is one contiguous range
 * and leaves as one socket write. The *index* is a ring of fixed-size entries that say what the bytes are and
 * for whom. A reader walks the index; it looks into the bytes only where it must.
 *
 *     control   i32  index tail | per reader: index head (one cache line each)
 *     released  i32  per reader, per segment: use of the segment the reader has let go of
 *     index     12 x i32 per entry (ENTRY_* below)
 *     data      segmentCount x segmentBytes
 *
 * A segment is used in turns. The writer fills one, retires it and takes another: a retired one that every reader has released,
 * else one never used before. So the log stays small and warm in the caches while readers keep up, and grows (pages of the
 * data area are touched for the first time) only while a reader's socket still owns bytes. A reader releases a segment when it has
 * read past it *and* no write over it is under way: `net` sends straight from this memory, so bytes must not change before
 * the write has called back.
 *
 * Memory order: bytes and index entries are written before the atomic store of the index tail, and read after an atomic load of
 * it. `released` and index heads are stored atomically by their reader and loaded atomically by the writer before reuse.
 */
import { broken } from '../invariant.ts';

export const ENTRY_WORDS = 12;
export const ENTRY_KIND = 0;
export const ENTRY_SEGMENT = 1;
export const ENTRY_OFFSET = 2;
export const ENTRY_LENGTH = 3;
/** Number of frames, or of session handles in front of the frame (`LogKind.SessionsFrame`). */
export const ENTRY_COUNT = 4;
export const ENTRY_SERVICE = 5;
/** RECORD_SELF_DISCARD of runs, FRAME_CONTINUES and FRAME_CONTINUED of membership frames, or entry-specific bits. */
export const ENTRY_FLAGS = 6;
export const ENTRY_SESSION = 7;
export const ENTRY_TARGET_HASH = 8;
/** Daemon that the frames come from: its index in the configuration. */
export const ENTRY_ORIGIN = 9;

export const LogKind = {
  /** `count` regular frames of one sender to one list of targets. */
  Run: 1,
  /** One frame for the members of a group that want membership messages. Bytes: group name (32), frame. */
  GroupFrame: 2,
  /** One frame for the sessions listed. Bytes: `count` x u32 handle, padded to 8, frame. */
  SessionsFrame: 3,
  /** `session` became a member of the group named in the bytes (32). */
  MemberAdded: 4,
  /** `session` stopped being a member of the group named in the bytes (32). */
  MemberRemoved: 5,
  /** `session` got its name; it may go on with the handshake. */
  SessionAccepted: 6,
  /** `session` did not get its name; `flags` is the result code. */
  SessionRejected: 7,
  /** The disconnect of `session` was ordered: its name is free. */
  SessionEnded: 8,
  /** Clients may not (`flags` 1) or may again (0) be read: a state exchange is under way. */
  ClientsBlocked: 9,
} as const;
export type LogKind = (typeof LogKind)[keyof typeof LogKind];

/** Of a GroupFrame or SessionsFrame entry: the frame goes on in the next entry, which has the same kind and the same receivers. */
export const FRAME_CONTINUES = 1;
/** Likewise: the frame began in an earlier entry. */
export const FRAME_CONTINUED = 2;

/** Bytes in front of the frame of a SessionsFrame entry: `count` handles, padded to 8. */
export const sessionsFrameHeader = (count: number): number => (count * 4 + 7) & ~7;

/** What an entry says besides where its bytes are. The writer fills one object for all of them, so that nothing is allocated for each. */
export class LogEntry {
  kind: LogKind = LogKind.Run;
  count = 0;
  service = 0;
  flags = 0;
  session = 0;
  targetHash = 0;
  origin = 0;

  /** Begins an entry of `kind`; all else is 0 until it is set. */
  begin(kind: LogKind): this {
    this.kind = kind;
    this.count = 0;
    this.service = 0;
    this.flags = 0;
    this.session = 0;
    this.targetHash = 0;
    this.origin = 0;
    return this;
  }
}

export interface OrderedLogShape {
  /** Bytes of one segment; the longest run must fit. Membership frames are written in pieces of half a segment. */
  readonly segmentBytes: number;
  /** Most segments there can be. Untouched ones cost address space, not memory. */
  readonly segmentCount: number;
  /** Entries of the index, a power of two. */
  readonly indexEntries: number;
  readonly readers: number;
}

export interface OrderedLogMemory {
  readonly shape: OrderedLogShape;
  readonly control: SharedArrayBuffer;
  readonly released: SharedArrayBuffer;
  readonly index: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** Words between positions that different threads write. */
const LINE_WORDS = 16;

export function createOrderedLog(shape: OrderedLogShape): OrderedLogMemory {
  const { segmentBytes, segmentCount, indexEntries, readers } = shape;
  if ((indexEntries & (indexEntries - 1)) !== 0) {
    throw new RangeError(`ordered log index of ${indexEntries} entries: must be a power of two`);
  }
  if (segmentCount < 2) throw new RangeError(`ordered log of ${segmentCount} segments: needs at least 2`);
  return {
    shape,
    control: new SharedArrayBuffer((1 + readers) * LINE_WORDS * 4),
    released: new SharedArrayBuffer(readers * segmentCount * 4),
    index: new SharedArrayBuffer(indexEntries * ENTRY_WORDS * 4),
    data: new SharedArrayBuffer(segmentBytes * segmentCount),
  };
}

/** The ring agent's side. One writer only. */
export class OrderedLogWriter {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly shape: OrderedLogShape;
  /** Segments that have been written at least once: how much memory the log has touched. */
  segmentsTouched = 1;
  readonly #index: Int32Array;
  readonly #control: Int32Array;
  readonly #released: Int32Array;
  /** Which turn of each segment the writer is in or finished last; 0 = never used. */
  readonly #use: Int32Array;
  /** Written segments, oldest first, that may still be read. */
  readonly #retired: Int32Array;
  #retiredCount = 0;
  #segment = 0;
  /** Write position inside the current segment. */
  #position = 0;
  /** The segment found by the last successful `hasRoom` when the current one is too full; -1 when none was looked for. */
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
    this.#use = new Int32Array(memory.shape.segmentCount);
    this.#retired = new Int32Array(memory.shape.segmentCount);
    this.#use[0] = 1;
    this.#tail = Atomics.load(this.#control, 0);
    this.#published = this.#tail;
  }

  /** Entries appended so far, modulo 2^32. */
  get tail(): number {
    return this.#tail;
  }

  /**
   * Whether `entries` entries with `lengthBytes` of bytes in all can be written now: in what is left of the current segment, or all in
   * the next one, so one free segment is enough.
   */
  hasRoom(entries: number, lengthBytes: number): boolean {
    if (this.shape.indexEntries - ((this.#tail - this.#slowestHead) >>> 0) < entries) {
      this.#slowestHead = this.#findSlowestHead();
      if (this.shape.indexEntries - ((this.#tail - this.#slowestHead) >>> 0) < entries) return false;
    }
    return this.#position + lengthBytes <= this.shape.segmentBytes || this.#findFree() !== -1;
  }

  /**
   * Place for `lengthBytes` contiguous bytes; moves to another segment when the current one is too full.
   * @returns the offset in `bytes`, or -1 when no segment is free
   */
  reserve(lengthBytes: number): number {
    const { segmentBytes } = this.shape;
    if (lengthBytes > segmentBytes)
      broken('an entry fits into a segment of the ordered log', { lengthBytes, segmentBytes });
    if (this.#position + lengthBytes > segmentBytes && !this.#takeNextSegment()) return -1;
    const offset = this.#segment * this.shape.segmentBytes + this.#position;
    this.#position += lengthBytes;
    return offset;
  }

  /**
   * Adds an entry for the `lengthBytes` last reserved at `offset`. Not visible to readers before `publish`.
   * The caller has asked `hasRoom`.
   */
  append(entry: LogEntry, offset: number, lengthBytes: number): void {
    const index = this.#index;
    if (offset < 0) broken('an entry of the ordered log has room in a segment', { offset, lengthBytes });
    const base = (this.#tail & (this.shape.indexEntries - 1)) * ENTRY_WORDS;
    index[base + ENTRY_KIND] = entry.kind;
    index[base + ENTRY_SEGMENT] = this.#segment;
    index[base + ENTRY_OFFSET] = offset - this.#segment * this.shape.segmentBytes;
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

  #takeNextSegment(): boolean {
    const next = this.#findFree();
    if (next === -1) return false;
    this.#next = -1;
    this.#removeRetired(next);
    this.#retired[this.#retiredCount++] = this.#segment;
    this.#segment = next;
    this.#position = 0;
    if (this.#use[next] === 0) this.segmentsTouched++;
    this.#use[next]!++;
    return true;
  }

  #findFree(): number {
    if (this.#next !== -1) return this.#next;
    for (let i = 0; i < this.#retiredCount; i++) {
      const segment = this.#retired[i]!;
      if (this.#isReleased(segment)) {
        this.#next = segment;
        return segment;
      }
    }
    if (this.segmentsTouched < this.shape.segmentCount) this.#next = this.segmentsTouched;
    return this.#next;
  }

  #isReleased(segment: number): boolean {
    const use = this.#use[segment]!;
    for (let reader = 0; reader < this.shape.readers; reader++) {
      if (Atomics.load(this.#released, reader * this.shape.segmentCount + segment) !== use) return false;
    }
    return true;
  }

  #removeRetired(segment: number): void {
    const at = this.#retired.subarray(0, this.#retiredCount).indexOf(segment);
    if (at === -1) return;
    this.#retired.copyWithin(at, at + 1, this.#retiredCount);
    this.#retiredCount--;
  }
}

/** One delivery agent's side. */
export class OrderedLogReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly shape: OrderedLogShape;
  /** The index; the current entry's words start at `entry`. */
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
  /** Segments this reader has read past but still holds, and how many they are. */
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

  /** Segment the reader is in; every other one it holds is kept alive by `hold` alone. */
  get segment(): number {
    return this.#segment;
  }

  /** Entries met so far, the current one included, modulo 2^32. */
  get head(): number {
    return this.#head;
  }

  /** Moves to the next entry. @returns false when there is none; `finish` then lets the writer reuse what was read */
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

  /** Gives the index entries read so far back to the writer. */
  finish(): void {
    if (Atomics.load(this.#control, this.#headSlot) !== this.#head)
      Atomics.store(this.#control, this.#headSlot, this.#head);
  }

  /** Whether entries wait; does not move. */
  hasMore(): boolean {
    return this.#head !== Atomics.load(this.#control, 0);
  }

  /** Keeps the bytes of `segment` from being reused until a matching `unhold`. */
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
