/**
 * What one session has still to receive.
 *
 * Bytes wait in one of three places, oldest first:
 *
 *   1. the write in flight: handed to the socket, which has not said that it is done;
 *   2. pieces: bytes that were copied out of the log because the session fell behind, shared with all who wait for them, and frames
 *      of the daemon's own;
 *   3. ranges: (segment, start, end, frames, turn) of the ordered log, each holding its segment.
 *
 * A socket that takes everything at once never leaves the first line: its ranges are written as views of the log and forgotten.
 * For one that does not, only the write in flight may hold the log for long (its bytes are libuv's until it calls back); ranges are
 * copied out of the log when the log has moved on by `KEEP_TURNS` segments (`SlowConsumers`, `SharedSpill`). Once such writes hold
 * `MAX_PINNED_SEGMENTS` of the log, further ones are made from copies.
 */
import { FRAME_CONTINUED, FRAME_CONTINUES, type OrderedLogReader } from '../../engine/buffers/ordered-log.ts';
import type { ClientSocket } from './client-socket.ts';
import type { KeptBytes } from './kept-bytes.ts';
import { PieceQueue } from './piece-queue.ts';
import { RANGE_END, RANGE_FRAMES, RANGE_SEGMENT, RANGE_START, RANGE_TURN, RangeQueue } from './range-queue.ts';
import type { SharedSpill } from './shared-spill.ts';

/** Segments of the log that writes in flight may hold, and the share of a reader's segments that they are at most. */
const MAX_PINNED_SEGMENTS = 48;
const PINNED_SHARE = 3 / 8;
/** In place of a range's segment: a frame of the daemon's own, which waits its turn among the ranges. */
const OWNED = -1;
/** Parts at most in one scattered write. */
const MAX_PARTS_PER_WRITE = 64;
/** When the parts of one write are shorter than this on average, joining them costs less than a scattered write. */
const GATHER_BELOW_BYTES = 4096;
const MAX_GATHERED_BYTES = 256 * 1024;
/** Parts that are looked at for one write. */
const MAX_GATHERED_PARTS = 4096;

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
  readonly #store: KeptBytes;
  readonly #socket: ClientSocket;
  readonly #onWritten: () => void;
  readonly #maxPinned: number;
  readonly #ranges = new RangeQueue();
  readonly #pieces: PieceQueue;
  /** Frames of the daemon's own that stand among the ranges, oldest first. */
  #owned: Buffer[] = [];
  /** The last range ends inside a frame; its rest is in the entries that follow. Owned frames wait here until it is whole. */
  #frameCut = false;
  #afterFrame: { readonly bytes: Buffer; readonly frames: number }[] = [];
  /** Bytes ever added, and where among them the long frame that the limit on bytes leaves out ends; its length. */
  #addedBytes = 0;
  #longFrameEnd = 0;
  #longFrameBytes = 0;
  #isFrameExempt = false;
  /** In flight: that many ranges at the front (still held), or pieces, or one private buffer. */
  #flightRanges = 0;
  #flightPieces = 0;
  #flightPrivateBytes = 0;
  #flightFrames = 0;
  #flightBytes = 0;
  /** What the store has been told of the ranges' memory. */
  #toldExtraBytes = 0;
  #toldClosingBytes = 0;

  /**
   * @param store of the worker
   * @param onUnblocked called when a write that did not go out at once is done and the socket can take more
   */
  constructor(
    log: OrderedLogReader,
    logBytes: Buffer,
    store: KeptBytes,
    socket: ClientSocket,
    onUnblocked: () => void,
  ) {
    this.#log = log;
    this.#logBytes = logBytes;
    this.#store = store;
    this.#pieces = new PieceQueue(store);
    this.#socket = socket;
    const { segmentCount, readers } = log.shape;
    this.#maxPinned = Math.min(MAX_PINNED_SEGMENTS, Math.floor((segmentCount / readers) * PINNED_SHARE));
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
    const ranges = this.#ranges;
    if (ranges.count > this.#flightRanges) {
      const last = ranges.at(ranges.count - 1);
      if (ranges.words[last + RANGE_SEGMENT] === segment && ranges.words[last + RANGE_END] === start) {
        ranges.words[last + RANGE_END] = end;
        ranges.words[last + RANGE_FRAMES]! += frames;
        return;
      }
    }
    ranges.push(segment, start, end, frames, turn);
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
    if (this.#frameCut) {
      this.#store.privateBytes += bytes.length;
      this.#afterFrame.push({ bytes, frames });
    } else this.#placeOwned(bytes, frames);
  }

  /** Writes until the socket stops taking everything or nothing waits. */
  flush(): void {
    if (this.#afterFrame.length > 0 && !this.#frameCut) {
      for (const { bytes, frames } of this.#afterFrame.splice(0)) {
        this.#store.privateBytes -= bytes.length;
        this.#placeOwned(bytes, frames);
      }
    }
    while (!this.blocked && !this.#socket.destroyed) {
      if (this.#pieces.count > 0) this.#writePieces();
      else if (this.#ranges.count > 0) this.#writeRanges();
      else break;
    }
    this.#tellExtraBytes();
  }

  /** Turn of the oldest range that waits behind the write in flight; null when there is none. */
  oldestTurn(): number | null {
    this.#movePastOwned();
    if (this.#ranges.count === this.#flightRanges) return null;
    return this.#ranges.words[this.#ranges.at(this.#flightRanges) + RANGE_TURN]!;
  }

  /** The segment of that range. */
  oldestSegment(): number {
    return this.#ranges.words[this.#ranges.at(this.#flightRanges) + RANGE_SEGMENT]!;
  }

  /** Tells `spill` of the ranges of `turn` that are at the front of those waiting. */
  markSpill(turn: number, spill: SharedSpill): void {
    const { words } = this.#ranges;
    for (let i = this.#flightRanges; i < this.#ranges.count; i++) {
      const at = this.#ranges.at(i);
      if (words[at + RANGE_TURN] !== turn) return;
      if (words[at + RANGE_SEGMENT] !== OWNED) spill.mark(words[at + RANGE_START]!, words[at + RANGE_END]!);
    }
  }

  /** As `markSpill`, for a session with these numbers. */
  wantSpill(turn: number, spill: SharedSpill, low: number, high: number): void {
    const { words } = this.#ranges;
    for (let i = this.#flightRanges; i < this.#ranges.count; i++) {
      const at = this.#ranges.at(i);
      if (words[at + RANGE_TURN] !== turn) return;
      if (words[at + RANGE_SEGMENT] !== OWNED) spill.want(words[at + RANGE_START]!, words[at + RANGE_END]!, low, high);
    }
  }

  /** The same ranges wait in copies from here on, and leave the log. */
  takeSpill(turn: number, spill: SharedSpill): void {
    const ranges = this.#ranges;
    let i = this.#flightRanges;
    for (; i < ranges.count; i++) {
      const at = ranges.at(i);
      const segment = ranges.words[at + RANGE_SEGMENT]!;
      if (ranges.words[at + RANGE_TURN] !== turn) break;
      const frames = ranges.words[at + RANGE_FRAMES]!;
      if (segment === OWNED) {
        this.#pushOwnedPiece(frames);
        continue;
      }
      const end = spill.partAt(ranges.words[at + RANGE_END]!);
      for (let part = spill.partAt(ranges.words[at + RANGE_START]!); part < end; part++) {
        const place = spill.placeOf(part);
        this.#pieces.pushBlock(spill.blockOf(part), place, place + spill.lengthOf(part), part + 1 < end ? 0 : frames);
      }
      this.spilledBytes += ranges.words[at + RANGE_END]! - ranges.words[at + RANGE_START]!;
      this.#log.unhold(segment);
    }
    ranges.remove(this.#flightRanges, i - this.#flightRanges);
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
    return this.#flightRanges === 0 ? null : this.#ranges.words[this.#ranges.at(0) + RANGE_TURN]!;
  }

  /** The session is over: everything but the write in flight, which is the system's, is forgotten. Nothing is added any more. */
  abandon(): void {
    const ranges = this.#ranges;
    for (let i = this.#flightRanges; i < ranges.count; i++) this.#unhold(i);
    ranges.remove(this.#flightRanges, ranges.count - this.#flightRanges);
    this.#pieces.drop(this.#flightPieces, this.#pieces.count - this.#flightPieces);
    for (const owned of [...this.#owned, ...this.#afterFrame.map(({ bytes }) => bytes)]) {
      this.#store.privateBytes -= owned.length;
    }
    this.#owned = [];
    this.#afterFrame = [];
    this.queuedFrames = this.#flightFrames;
    this.queuedBytes = this.#flightBytes;
    this.blocked = true;
    const closing = this.#flightRanges > 0 ? 0 : this.#flightBytes;
    this.#store.closingBytes += closing - this.#toldClosingBytes;
    this.#toldClosingBytes = closing;
    this.#tellExtraBytes();
  }

  /** Forgets everything and lets go of the log; the socket is closed and owns no memory any more. */
  discard(): void {
    this.abandon();
    this.#land();
    this.#ranges.clear();
    this.#store.closingBytes -= this.#toldClosingBytes;
    this.#toldClosingBytes = 0;
    this.#tellExtraBytes();
    this.blocked = true;
  }

  #placeOwned(bytes: Buffer, frames: number): void {
    const ranges = this.#ranges;
    if (ranges.count === this.#flightRanges) {
      this.#pieces.pushOwned(bytes, frames);
      return;
    }
    const turn = ranges.words[ranges.at(ranges.count - 1) + RANGE_TURN]!;
    ranges.push(OWNED, 0, bytes.length, frames, turn);
    this.#owned.push(bytes);
    this.#store.privateBytes += bytes.length;
  }

  /** Frames of the daemon's own in front of all waiting ranges become pieces, which are in front of ranges anyway. */
  #movePastOwned(): void {
    const ranges = this.#ranges;
    while (this.#owned.length > 0 && ranges.count > this.#flightRanges) {
      const at = ranges.at(this.#flightRanges);
      if (ranges.words[at + RANGE_SEGMENT] !== OWNED) return;
      this.#pushOwnedPiece(ranges.words[at + RANGE_FRAMES]!);
      ranges.remove(this.#flightRanges, 1);
    }
  }

  /** The oldest frame of the daemon's own among the ranges becomes a piece. */
  #pushOwnedPiece(frames: number): void {
    const bytes = this.#owned.shift()!;
    this.#store.privateBytes -= bytes.length;
    this.#pieces.pushOwned(bytes, frames);
  }

  #unsentBytes(): number {
    const handle = (this.#socket as unknown as { readonly _handle?: HandleWithQueue | null })._handle;
    return Math.min(handle?.writeQueueSize ?? this.#flightBytes, this.#flightBytes);
  }

  #writePieces(): void {
    const pieces = this.#pieces;
    let count = 0;
    let bytes = 0;
    let frames = 0;
    while (count < pieces.count && count < MAX_GATHERED_PARTS && bytes < MAX_GATHERED_BYTES) {
      bytes += pieces.lengthOf(count);
      frames += pieces.framesOf(count);
      count++;
    }
    if (count > 1 && bytes / count < GATHER_BELOW_BYTES) {
      const joined = Buffer.allocUnsafe(bytes);
      let position = 0;
      for (let i = 0; i < count; i++) position += pieces.view(i).copy(joined, position);
      pieces.drop(0, count);
      this.#writePrivate(joined, frames);
      return;
    }
    if (count > MAX_PARTS_PER_WRITE) {
      for (; count > MAX_PARTS_PER_WRITE; count--) {
        bytes -= pieces.lengthOf(count - 1);
        frames -= pieces.framesOf(count - 1);
      }
    }
    this.#flightPieces = count;
    this.#flightFrames = frames;
    this.#flightBytes = bytes;
    pieces.beginWrite(count);
    if (count > 1) this.#socket.cork();
    for (let i = 0; i < count; i++) this.#write(pieces.view(i));
    if (count > 1) this.#socket.uncork();
    this.#settle();
  }

  #writeRanges(): void {
    const ranges = this.#ranges;
    if (this.#owned.length > 0) {
      this.#movePastOwned();
      if (this.#pieces.count > 0) return;
    }
    const mayPin = this.#log.pinnedSegments < this.#maxPinned;
    if (ranges.count === 1 && mayPin) {
      this.#launch(1);
      this.#write(this.#view(ranges.at(0)));
      this.#settle();
      return;
    }
    let count = 0;
    let bytes = 0;
    while (count < ranges.count && bytes < MAX_GATHERED_BYTES) {
      const at = ranges.at(count);
      if (ranges.words[at + RANGE_SEGMENT] === OWNED) break;
      bytes += ranges.words[at + RANGE_END]! - ranges.words[at + RANGE_START]!;
      count++;
    }
    if (!mayPin || bytes / count < GATHER_BELOW_BYTES) {
      this.#writeCopied(count, bytes);
      return;
    }
    count = Math.min(count, MAX_PARTS_PER_WRITE);
    this.#launch(count);
    this.#socket.cork();
    for (let i = 0; i < count; i++) this.#write(this.#view(ranges.at(i)));
    this.#socket.uncork();
    this.#settle();
  }

  #writeCopied(count: number, lengthBytes: number): void {
    const ranges = this.#ranges;
    const joined = Buffer.allocUnsafe(lengthBytes);
    let frames = 0;
    let position = 0;
    for (let i = 0; i < count; i++) {
      const at = ranges.at(i);
      position += this.#view(at).copy(joined, position);
      frames += ranges.words[at + RANGE_FRAMES]!;
      this.#unhold(i);
    }
    ranges.remove(0, count);
    this.spilledBytes += lengthBytes;
    this.#writePrivate(joined, frames);
  }

  #writePrivate(bytes: Buffer, frames: number): void {
    this.#flightPrivateBytes = bytes.length;
    this.#store.privateBytes += bytes.length;
    this.#flightFrames = frames;
    this.#flightBytes = bytes.length;
    this.#write(bytes);
    this.#settle();
  }

  #write(bytes: Buffer): void {
    this.writes++;
    this.#socket.write(bytes, this.#onWritten);
  }

  #launch(count: number): void {
    this.#flightRanges = count;
    for (let i = 0; i < count; i++) {
      const at = this.#ranges.at(i);
      this.#flightFrames += this.#ranges.words[at + RANGE_FRAMES]!;
      this.#flightBytes += this.#ranges.words[at + RANGE_END]! - this.#ranges.words[at + RANGE_START]!;
    }
  }

  /** After a write: done at once when the socket kept nothing back. */
  #settle(): void {
    if (this.#socket.writableLength > 0) this.blocked = true;
    else this.#land();
  }

  #land(): void {
    for (let i = 0; i < this.#flightRanges; i++) this.#unhold(i);
    this.#ranges.remove(0, this.#flightRanges);
    if (this.#flightPieces > 0) {
      this.#pieces.endWrite(this.#flightPieces);
      this.#pieces.drop(0, this.#flightPieces);
    }
    this.#store.privateBytes -= this.#flightPrivateBytes;
    this.queuedFrames -= this.#flightFrames;
    this.queuedBytes -= this.#flightBytes;
    this.#flightRanges = 0;
    this.#flightPieces = 0;
    this.#flightPrivateBytes = 0;
    this.#flightFrames = 0;
    this.#flightBytes = 0;
    this.blocked = false;
  }

  #tellExtraBytes(): void {
    const { extraBytes } = this.#ranges;
    this.#store.privateBytes += extraBytes - this.#toldExtraBytes;
    this.#toldExtraBytes = extraBytes;
  }

  #unhold(i: number): void {
    const segment = this.#ranges.words[this.#ranges.at(i) + RANGE_SEGMENT]!;
    if (segment !== OWNED) this.#log.unhold(segment);
  }

  #view(at: number): Buffer {
    const { words } = this.#ranges;
    const base = words[at + RANGE_SEGMENT]! * this.#log.shape.segmentBytes;
    return this.#logBytes.subarray(base + words[at + RANGE_START]!, base + words[at + RANGE_END]!);
  }
}
