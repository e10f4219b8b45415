/**
 * What one session has still to receive.
 *
 * Bytes wait in one of three places, oldest first:
 *
 *   1. the write in flight: handed to the socket, which has not said that it is done;
 *   2. spilled buffers: private copies of log ranges, for sessions that fell behind;
 *   3. ranges: (segment, start, end, frames, turn) of the ordered log, each holding its segment.
 *
 * A socket that takes everything at once never leaves the first line: its ranges are written as views of the log and forgotten.
 * For one that does not, only the write in flight may hold the log for long (its bytes are libuv's until it calls back); ranges are
 * copied out of the log when the log has moved on by `KEEP_TURNS` segments.
 */
import { FRAME_CONTINUED, FRAME_CONTINUES, type OrderedLogReader } from '../../engine/buffers/ordered-log.ts';
import type { ClientSocket } from './client-socket.ts';

const RANGE_WORDS = 5;
const SEGMENT = 0;
const START = 1;
const END = 2;
const FRAMES = 3;
const TURN = 4;

/** Segments by which the log moves on before a waiting range is copied out of it. */
const KEEP_TURNS = 8;
/** Ranges at most in one scattered write. */
const MAX_RANGES_PER_WRITE = 64;
/** When the ranges of one write are shorter than this on average, joining them costs less than a scattered write. */
const GATHER_BELOW_BYTES = 4096;
const MAX_GATHERED_BYTES = 256 * 1024;

interface Spilled {
  readonly bytes: Buffer;
  readonly frames: number;
}

/** Bytes that libuv has not yet handed to the kernel; Node keeps the figure on the socket's handle. */
interface HandleWithQueue {
  readonly writeQueueSize?: number;
}

export class SessionOutput {
  /** The socket has not taken the last write whole. */
  blocked = false;
  queuedFrames = 0;
  queuedBytes = 0;
  /** Writes made and bytes copied since the owner last read and cleared them. */
  writes = 0;
  spilledBytes = 0;
  readonly #log: OrderedLogReader;
  /** The log's data once more, as the type that sockets take without wrapping it. */
  readonly #logBytes: Buffer;
  readonly #socket: ClientSocket;
  readonly #onWritten: () => void;
  #ranges = new Int32Array(RANGE_WORDS * 4);
  #first = 0;
  #count = 0;
  #spilled: Spilled[] = [];
  /** The last range ends inside a frame; its rest is in the entries that follow. Owned bytes wait here until it is whole. */
  #frameCut = false;
  #afterFrame: Spilled[] = [];
  /** Bytes ever added, and where among them the long frame that the limit on bytes leaves out ends; its length. */
  #addedBytes = 0;
  #longFrameEnd = 0;
  #longFrameBytes = 0;
  #isFrameExempt = false;
  /** In flight: that many ranges at the front (still held), or one private buffer. */
  #flightRanges = 0;
  #flightFrames = 0;
  #flightBytes = 0;

  /** @param onUnblocked called when a write that did not go out at once is done and the socket can take more */
  constructor(log: OrderedLogReader, logBytes: Buffer, socket: ClientSocket, onUnblocked: () => void) {
    this.#log = log;
    this.#logBytes = logBytes;
    this.#socket = socket;
    this.#onWritten = () => {
      if (!this.blocked || socket.writableLength > 0 || socket.destroyed) return;
      this.#land();
      onUnblocked();
    };
  }

  /** Adds a range of the log. `turn` counts the log's segments as the worker meets them. */
  add(segment: number, start: number, end: number, frames: number, turn: number): void {
    this.queuedFrames += frames;
    this.queuedBytes += end - start;
    this.#addedBytes += end - start;
    if (this.#count > this.#flightRanges) {
      const last = this.#at(this.#count - 1);
      if (this.#ranges[last + SEGMENT] === segment && this.#ranges[last + END] === start) {
        this.#ranges[last + END] = end;
        this.#ranges[last + FRAMES]! += frames;
        return;
      }
    }
    if (this.#count * RANGE_WORDS === this.#ranges.length) this.#grow();
    const at = this.#at(this.#count++);
    this.#ranges[at + SEGMENT] = segment;
    this.#ranges[at + START] = start;
    this.#ranges[at + END] = end;
    this.#ranges[at + FRAMES] = frames;
    this.#ranges[at + TURN] = turn;
    this.#log.hold(segment);
  }

  /**
   * The next range is a membership frame, or a part of one, that may be longer than all else that may wait together. One such frame at
   * a time does not count for the limit on bytes: a view must reach its members however many they are.
   * @param flags FRAME_CONTINUES and FRAME_CONTINUED of its entry
   */
  longFrame(lengthBytes: number, flags: number): void {
    this.#frameCut = (flags & FRAME_CONTINUES) !== 0;
    if ((flags & FRAME_CONTINUED) === 0) {
      this.#isFrameExempt = this.#longFrameEnd <= this.#addedBytes - this.queuedBytes;
      if (this.#isFrameExempt) this.#longFrameBytes = 0;
    }
    if (!this.#isFrameExempt) return;
    this.#longFrameBytes += lengthBytes;
    this.#longFrameEnd = this.#addedBytes + lengthBytes;
  }

  /** Adds bytes that are not in the log (a reject, a notice), behind all that waits. */
  addOwned(bytes: Buffer, frames: number): void {
    this.queuedFrames += frames;
    this.queuedBytes += bytes.length;
    this.#addedBytes += bytes.length;
    if (this.#frameCut) this.#afterFrame.push({ bytes, frames });
    else this.#pushOwned({ bytes, frames });
  }

  /** Writes until the socket stops taking everything or nothing waits. */
  flush(): void {
    if (this.#afterFrame.length > 0 && !this.#frameCut) {
      for (const owned of this.#afterFrame.splice(0)) this.#pushOwned(owned);
    }
    while (!this.blocked && !this.#socket.destroyed) {
      if (this.#spilled.length > 0) this.#writeSpilled();
      else if (this.#count > 0) this.#writeRanges();
      else return;
    }
  }

  /** Copies ranges out of the log that it has left behind. */
  spillOld(turn: number): void {
    let old = this.#flightRanges;
    while (old < this.#count && turn - this.#ranges[this.#at(old) + TURN]! >= KEEP_TURNS) old++;
    this.#spillRanges(old - this.#flightRanges);
  }

  /**
   * Messages that the socket has not taken, the partly written one included. Of the write in flight only its rest counts; where
   * frames differ in size that part is an estimate in proportion to its bytes.
   */
  waitingFrames(): number {
    const waiting = this.queuedFrames - this.#flightFrames;
    if (this.#flightBytes === 0) return waiting;
    return waiting + Math.ceil((this.#flightFrames * this.#unsentBytes()) / this.#flightBytes);
  }

  waitingBytes(): number {
    return this.queuedBytes - this.#flightBytes + (this.#flightBytes === 0 ? 0 : this.#unsentBytes());
  }

  /** `waitingBytes` without the one long membership frame that may wait beside the limit. */
  limitedBytes(): number {
    const unsent = this.#longFrameEnd - (this.#addedBytes - this.queuedBytes);
    return this.waitingBytes() - Math.max(0, Math.min(this.#longFrameBytes, unsent));
  }

  /** Turn of the oldest range that a write in flight holds in the log; null when it holds none. */
  heldSince(): number | null {
    return this.#flightRanges === 0 ? null : this.#ranges[this.#at(0) + TURN]!;
  }

  /** Forgets everything and lets go of the log; the socket is closed and owns no memory any more. */
  discard(): void {
    for (let i = 0; i < this.#count; i++) this.#log.unhold(this.#ranges[this.#at(i) + SEGMENT]!);
    this.#count = 0;
    this.#flightRanges = 0;
    this.#flightFrames = 0;
    this.#flightBytes = 0;
    this.#spilled = [];
    this.#afterFrame = [];
    this.queuedFrames = 0;
    this.queuedBytes = 0;
    this.blocked = true;
  }

  #pushOwned(owned: Spilled): void {
    this.#spillRanges(this.#count - this.#flightRanges);
    this.#spilled.push(owned);
  }

  #unsentBytes(): number {
    const handle = (this.#socket as unknown as { readonly _handle?: HandleWithQueue | null })._handle;
    return Math.min(handle?.writeQueueSize ?? this.#flightBytes, this.#flightBytes);
  }

  #writeSpilled(): void {
    const next = this.#spilled.shift()!;
    this.#flightFrames = next.frames;
    this.#flightBytes = next.bytes.length;
    this.#write(next.bytes);
    this.#settle();
  }

  #writeRanges(): void {
    if (this.#count === 1) {
      this.#launch(1);
      this.#write(this.#view(this.#at(0)));
      this.#settle();
      return;
    }
    let ranges = 0;
    let bytes = 0;
    while (ranges < this.#count && bytes < MAX_GATHERED_BYTES) {
      const at = this.#at(ranges);
      bytes += this.#ranges[at + END]! - this.#ranges[at + START]!;
      ranges++;
    }
    if (bytes / ranges < GATHER_BELOW_BYTES) {
      this.#spillRanges(ranges);
      this.#writeSpilled();
      return;
    }
    ranges = Math.min(ranges, MAX_RANGES_PER_WRITE);
    this.#launch(ranges);
    this.#socket.cork();
    for (let i = 0; i < ranges; i++) this.#write(this.#view(this.#at(i)));
    this.#socket.uncork();
    this.#settle();
  }

  #write(bytes: Buffer): void {
    this.writes++;
    this.#socket.write(bytes, this.#onWritten);
  }

  #launch(ranges: number): void {
    this.#flightRanges = ranges;
    for (let i = 0; i < ranges; i++) {
      const at = this.#at(i);
      this.#flightFrames += this.#ranges[at + FRAMES]!;
      this.#flightBytes += this.#ranges[at + END]! - this.#ranges[at + START]!;
    }
  }

  /** After a write: done at once when the socket kept nothing back. */
  #settle(): void {
    if (this.#socket.writableLength > 0) this.blocked = true;
    else this.#land();
  }

  #land(): void {
    this.#dropFirst(this.#flightRanges);
    this.queuedFrames -= this.#flightFrames;
    this.queuedBytes -= this.#flightBytes;
    this.#flightRanges = 0;
    this.#flightFrames = 0;
    this.#flightBytes = 0;
    this.blocked = false;
  }

  /** Copies the first `ranges` ranges behind those in flight into one private buffer. */
  #spillRanges(ranges: number): void {
    if (ranges <= 0) return;
    let length = 0;
    let frames = 0;
    for (let i = 0; i < ranges; i++) {
      const at = this.#at(this.#flightRanges + i);
      length += this.#ranges[at + END]! - this.#ranges[at + START]!;
      frames += this.#ranges[at + FRAMES]!;
    }
    const bytes = Buffer.allocUnsafe(length);
    let position = 0;
    for (let i = 0; i < ranges; i++) {
      const view = this.#view(this.#at(this.#flightRanges + i));
      bytes.set(view, position);
      position += view.length;
    }
    this.#removeBehindFlight(ranges);
    this.#spilled.push({ bytes, frames });
    this.spilledBytes += length;
  }

  /** Removes `ranges` ranges behind those in flight, which move up to close the hole. */
  #removeBehindFlight(ranges: number): void {
    for (let i = 0; i < ranges; i++) this.#log.unhold(this.#ranges[this.#at(this.#flightRanges + i) + SEGMENT]!);
    for (let i = this.#flightRanges - 1; i >= 0; i--) {
      this.#ranges.copyWithin(this.#at(i + ranges), this.#at(i), this.#at(i) + RANGE_WORDS);
    }
    this.#first = (this.#first + ranges) % (this.#ranges.length / RANGE_WORDS);
    this.#count -= ranges;
  }

  #dropFirst(ranges: number): void {
    for (let i = 0; i < ranges; i++) this.#log.unhold(this.#ranges[this.#at(i) + SEGMENT]!);
    this.#first = (this.#first + ranges) % (this.#ranges.length / RANGE_WORDS);
    this.#count -= ranges;
  }

  #view(at: number): Buffer {
    const base = this.#ranges[at + SEGMENT]! * this.#log.shape.segmentBytes;
    return this.#logBytes.subarray(base + this.#ranges[at + START]!, base + this.#ranges[at + END]!);
  }

  #at(i: number): number {
    const capacity = this.#ranges.length / RANGE_WORDS;
    const slot = this.#first + i;
    return (slot < capacity ? slot : slot - capacity) * RANGE_WORDS;
  }

  #grow(): void {
    const grown = new Int32Array(this.#ranges.length * 2);
    for (let i = 0; i < this.#count; i++) {
      const at = this.#at(i);
      grown.set(this.#ranges.subarray(at, at + RANGE_WORDS), i * RANGE_WORDS);
    }
    this.#ranges = grown;
    this.#first = 0;
  }
}
