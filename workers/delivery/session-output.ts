/**
 * What one session has still to receive.
 *
 * Bytes wait in one of three places, oldest first:
 *
 *   1. the write in flight: handed to the transport, which has not said that it is done;
 *   2. pieces: bytes that were copied out of the log because the session fell behind, shared with all sessions that wait for them, and
 *      frames
 *      of the daemon's own;
 *   3. ranges: (term buffer, start, end, frames, term) of the ordered log, each holding its term buffer.
 *
 * A transport that takes everything at once never leaves the first line: its ranges are written as views of the log and forgotten.
 * For one that does not, only the write in flight may hold the log for long (its bytes are the transport's until it calls back); ranges are
 * copied out of the log when the log has moved on by `KEEP_TERMS` terms (`SlowConsumers`, `SharedSpill`). Once such writes hold
 * `MAX_PINNED_TERM_BUFFERS` of the log, further ones are made from copies.
 */
import type { LogHolds } from '../../engine/buffers/log-position.ts';
import type { ClientTransport } from './client-transport.ts';
import type { KeptBytes } from './kept-bytes.ts';
import { LongFrame } from './long-frame.ts';
import { OwnedFrames } from './owned-frames.ts';
import { PieceQueue } from './piece-queue.ts';
import {
  OWNED,
  RANGE_END,
  RANGE_FRAMES,
  RANGE_START,
  RANGE_TERM,
  RANGE_TERM_BUFFER,
  RangeQueue,
} from './range-queue.ts';
import type { SharedSpill } from './shared-spill.ts';
import { markRanges, wantRanges } from './spill-ranges.ts';
import { WriteInFlight } from './write-in-flight.ts';

/** Term buffers of the log that writes in flight may hold, and the share of a reader's term buffers that they are at most. */
const MAX_PINNED_TERM_BUFFERS = 48;
const PINNED_SHARE = 3 / 8;
/** Parts at most in one scattered write. */
const MAX_PARTS_PER_WRITE = 64;
/** When the parts of one write are shorter than this on average, joining them costs less than a scattered write. */
const GATHER_BELOW_BYTES = 4096;
const MAX_GATHERED_BYTES = 256 * 1024;
/** Parts that are looked at for one write. */
const MAX_GATHERED_PARTS = 4096;

export class SessionOutput {
  /** The transport has not taken the last write whole. */
  blocked = false;
  queuedFrames = 0;
  queuedBytes = 0;
  /** Writes made and bytes copied since the owner last read and cleared them. */
  writes = 0;
  spilledBytes = 0;
  readonly #log: LogHolds;
  /** The log's data once more, as the type that Node's sockets take without wrapping it. */
  readonly #logBytes: Buffer;
  readonly #store: KeptBytes;
  readonly #transport: ClientTransport;
  readonly #onWritten: () => void;
  readonly #maxPinned: number;
  readonly #ranges = new RangeQueue();
  readonly #pieces: PieceQueue;
  readonly #owned: OwnedFrames;
  /** Bytes and messages ever added. */
  #addedBytes = 0;
  #addedFrames = 0;
  readonly #longFrame = new LongFrame();
  readonly #flight = new WriteInFlight();
  /** What the store has been told of the ranges' memory. */
  #toldExtraBytes = 0;
  #toldClosingBytes = 0;

  /**
   * @param store of the worker
   * @param onUnblocked called when a write that did not go out at once is done and the transport can take more
   */
  constructor(log: LogHolds, logBytes: Buffer, store: KeptBytes, transport: ClientTransport, onUnblocked: () => void) {
    this.#log = log;
    this.#logBytes = logBytes;
    this.#store = store;
    this.#pieces = new PieceQueue(store);
    this.#owned = new OwnedFrames(store);
    this.#transport = transport;
    const { termBufferCount, readers } = log.shape;
    this.#maxPinned = Math.min(MAX_PINNED_TERM_BUFFERS, Math.floor((termBufferCount / readers) * PINNED_SHARE));
    this.#onWritten = () => {
      if (!this.blocked || transport.pendingBytes > 0 || transport.isDestroyed) return;
      this.#land();
      onUnblocked();
    };
  }

  /** Adds a range of the log. `term`: its number, counted by the worker. */
  add(termBuffer: number, start: number, end: number, frames: number, term: number): void {
    this.queuedFrames += frames;
    this.queuedBytes += end - start;
    this.#addedBytes += end - start;
    this.#addedFrames += frames;
    const ranges = this.#ranges;
    if (ranges.count > this.#flight.ranges) {
      const last = ranges.at(ranges.count - 1);
      if (ranges.words[last + RANGE_TERM_BUFFER] === termBuffer && ranges.words[last + RANGE_END] === start) {
        ranges.words[last + RANGE_END] = end;
        ranges.words[last + RANGE_FRAMES]! += frames;
        return;
      }
    }
    ranges.push(termBuffer, start, end, frames, term);
    this.#log.hold(termBuffer);
  }

  /**
   * The next range is a membership frame, or a part of one, that may be longer than all else that may wait together. One such frame at
   * a time does not count for the limit on bytes: a view must reach its members however many they are.
   * @param flags FRAME_CONTINUES and FRAME_CONTINUED of its entry
   */
  longFrame(lengthBytes: number, flags: number): void {
    this.#longFrame.add(lengthBytes, flags, this.#addedBytes, this.#addedBytes - this.queuedBytes);
  }

  /** Adds bytes that are not in the log (a reject, a notice), behind all that waits. */
  addOwned(bytes: Buffer, frames: number): void {
    this.queuedFrames += frames;
    this.queuedBytes += bytes.length;
    this.#addedBytes += bytes.length;
    this.#addedFrames += frames;
    if (this.#longFrame.isCut) this.#owned.hold(bytes, frames);
    else this.#placeOwned(bytes, frames);
  }

  /** Writes until the transport stops taking everything or nothing waits. */
  flush(): void {
    if (this.#owned.heldCount > 0 && !this.#longFrame.isCut) {
      for (const { bytes, frames } of this.#owned.takeHeld()) this.#placeOwned(bytes, frames);
    }
    while (!this.blocked && !this.#transport.isDestroyed) {
      if (this.#pieces.count > 0) this.#writePieces();
      else if (this.#ranges.count > 0) this.#writeRanges();
      else break;
    }
    this.#tellExtraBytes();
  }

  /** Term of the oldest range that waits behind the write in flight; null when there is none. */
  oldestTerm(): number | null {
    this.#movePastOwned();
    if (this.#ranges.count === this.#flight.ranges) return null;
    return this.#ranges.words[this.#ranges.at(this.#flight.ranges) + RANGE_TERM]!;
  }

  /** The term buffer of that range. */
  oldestTermBuffer(): number {
    return this.#ranges.words[this.#ranges.at(this.#flight.ranges) + RANGE_TERM_BUFFER]!;
  }

  /** Tells `spill` of the ranges of `term` that are at the front of those waiting. */
  markSpill(term: number, spill: SharedSpill): void {
    markRanges(this.#ranges, this.#flight.ranges, term, spill);
  }

  /** As `markSpill`, for a session with these numbers. */
  wantSpill(term: number, spill: SharedSpill, low: number, high: number): void {
    wantRanges(this.#ranges, this.#flight.ranges, term, spill, low, high);
  }

  /** The same ranges wait in copies from here on, and leave the log. */
  takeSpill(term: number, spill: SharedSpill): void {
    const ranges = this.#ranges;
    let i = this.#flight.ranges;
    for (; i < ranges.count; i++) {
      const at = ranges.at(i);
      const termBuffer = ranges.words[at + RANGE_TERM_BUFFER]!;
      if (ranges.words[at + RANGE_TERM] !== term) break;
      const frames = ranges.words[at + RANGE_FRAMES]!;
      if (termBuffer === OWNED) {
        this.#pushOwnedPiece(frames);
        continue;
      }
      const end = spill.partAt(ranges.words[at + RANGE_END]!);
      for (let part = spill.partAt(ranges.words[at + RANGE_START]!); part < end; part++) {
        const place = spill.placeOf(part);
        this.#pieces.pushBlock(spill.blockOf(part), place, place + spill.lengthOf(part), part + 1 < end ? 0 : frames);
      }
      this.spilledBytes += ranges.words[at + RANGE_END]! - ranges.words[at + RANGE_START]!;
      this.#log.unhold(termBuffer);
    }
    ranges.remove(this.#flight.ranges, i - this.#flight.ranges);
  }

  /**
   * Messages that the transport has not taken, the partly written one included. Of the write in flight only its rest counts; where
   * frames differ in size that part is an estimate in proportion to its bytes.
   */
  waitingFrames(): number {
    const waiting = this.queuedFrames - this.#flight.frames;
    if (this.#flight.bytes === 0) return waiting;
    return waiting + Math.ceil((this.#flight.frames * this.#unsentBytes()) / this.#flight.bytes);
  }

  waitingBytes(): number {
    return this.queuedBytes - this.#flight.bytes + (this.#flight.bytes === 0 ? 0 : this.#unsentBytes());
  }

  /** Messages and bytes that the transport has taken. */
  sentFrames(): number {
    return this.#addedFrames - this.waitingFrames();
  }

  sentBytes(): number {
    return this.#addedBytes - this.waitingBytes();
  }

  /** `waitingBytes` without the one long membership frame that may wait beside the limit. */
  limitedBytes(): number {
    return this.waitingBytes() - this.#longFrame.waitingBytes(this.#addedBytes - this.queuedBytes);
  }

  /** Term of the oldest range that a write in flight holds in the log; null when it holds none. */
  heldSince(): number | null {
    return this.#flight.ranges === 0 ? null : this.#ranges.words[this.#ranges.at(0) + RANGE_TERM]!;
  }

  /** The session is over: everything but the write in flight, which is the system's, is forgotten. Nothing is added any more. */
  abandon(): void {
    const ranges = this.#ranges;
    for (let i = this.#flight.ranges; i < ranges.count; i++) this.#unhold(i);
    ranges.remove(this.#flight.ranges, ranges.count - this.#flight.ranges);
    this.#pieces.drop(this.#flight.pieces, this.#pieces.count - this.#flight.pieces);
    this.#owned.clear();
    this.queuedFrames = this.#flight.frames;
    this.queuedBytes = this.#flight.bytes;
    this.blocked = true;
    const closing = this.#flight.ranges > 0 ? 0 : this.#flight.bytes;
    this.#store.closingBytes += closing - this.#toldClosingBytes;
    this.#toldClosingBytes = closing;
    this.#tellExtraBytes();
  }

  /** Forgets everything and lets go of the log; the transport is closed and owns no memory any more. */
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
    if (ranges.count === this.#flight.ranges) {
      this.#pieces.pushOwned(bytes, frames);
      return;
    }
    const term = ranges.words[ranges.at(ranges.count - 1) + RANGE_TERM]!;
    ranges.push(OWNED, 0, bytes.length, frames, term);
    this.#owned.place(bytes);
  }

  /** Frames of the daemon's own in front of all waiting ranges become pieces, which are in front of ranges anyway. */
  #movePastOwned(): void {
    const ranges = this.#ranges;
    while (this.#owned.placedCount > 0 && ranges.count > this.#flight.ranges) {
      const at = ranges.at(this.#flight.ranges);
      if (ranges.words[at + RANGE_TERM_BUFFER] !== OWNED) return;
      this.#pushOwnedPiece(ranges.words[at + RANGE_FRAMES]!);
      ranges.remove(this.#flight.ranges, 1);
    }
  }

  /** The oldest frame of the daemon's own among the ranges becomes a piece. */
  #pushOwnedPiece(frames: number): void {
    this.#pieces.pushOwned(this.#owned.takePlaced(), frames);
  }

  #unsentBytes(): number {
    return Math.min(this.#transport.unsentBytes, this.#flight.bytes);
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
    this.#flight.pieces = count;
    this.#flight.frames = frames;
    this.#flight.bytes = bytes;
    pieces.beginWrite(count);
    if (count > 1) this.#transport.cork();
    for (let i = 0; i < count; i++) this.#write(pieces.view(i));
    if (count > 1) this.#transport.uncork();
    this.#settle();
  }

  #writeRanges(): void {
    const ranges = this.#ranges;
    if (this.#owned.placedCount > 0) {
      this.#movePastOwned();
      if (this.#pieces.count > 0) return;
    }
    const mayPin = this.#log.pinnedTermBuffers < this.#maxPinned;
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
      if (ranges.words[at + RANGE_TERM_BUFFER] === OWNED) break;
      bytes += ranges.words[at + RANGE_END]! - ranges.words[at + RANGE_START]!;
      count++;
    }
    if (!mayPin || bytes / count < GATHER_BELOW_BYTES) {
      this.#writeCopied(count, bytes);
      return;
    }
    count = Math.min(count, MAX_PARTS_PER_WRITE);
    this.#launch(count);
    this.#transport.cork();
    for (let i = 0; i < count; i++) this.#write(this.#view(ranges.at(i)));
    this.#transport.uncork();
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
    this.#flight.privateBytes = bytes.length;
    this.#store.privateBytes += bytes.length;
    this.#flight.frames = frames;
    this.#flight.bytes = bytes.length;
    this.#write(bytes);
    this.#settle();
  }

  #write(bytes: Buffer): void {
    this.writes++;
    this.#transport.write(bytes, this.#onWritten);
  }

  #launch(count: number): void {
    this.#flight.ranges = count;
    for (let i = 0; i < count; i++) {
      const at = this.#ranges.at(i);
      this.#flight.frames += this.#ranges.words[at + RANGE_FRAMES]!;
      this.#flight.bytes += this.#ranges.words[at + RANGE_END]! - this.#ranges.words[at + RANGE_START]!;
    }
  }

  /** After a write: done at once when the transport kept nothing back. */
  #settle(): void {
    if (this.#transport.pendingBytes > 0) this.blocked = true;
    else this.#land();
  }

  #land(): void {
    for (let i = 0; i < this.#flight.ranges; i++) this.#unhold(i);
    this.#ranges.remove(0, this.#flight.ranges);
    if (this.#flight.pieces > 0) {
      this.#pieces.endWrite(this.#flight.pieces);
      this.#pieces.drop(0, this.#flight.pieces);
    }
    this.#store.privateBytes -= this.#flight.privateBytes;
    this.queuedFrames -= this.#flight.frames;
    this.queuedBytes -= this.#flight.bytes;
    this.#flight.clear();
    this.blocked = false;
  }

  #tellExtraBytes(): void {
    const { extraBytes } = this.#ranges;
    this.#store.privateBytes += extraBytes - this.#toldExtraBytes;
    this.#toldExtraBytes = extraBytes;
  }

  #unhold(i: number): void {
    const termBuffer = this.#ranges.words[this.#ranges.at(i) + RANGE_TERM_BUFFER]!;
    if (termBuffer !== OWNED) this.#log.unhold(termBuffer);
  }

  #view(at: number): Buffer {
    const { words } = this.#ranges;
    const base = words[at + RANGE_TERM_BUFFER]! * this.#log.shape.termBytes;
    return this.#logBytes.subarray(base + words[at + RANGE_START]!, base + words[at + RANGE_END]!);
  }
}
