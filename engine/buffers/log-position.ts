/**
 * A position on the ordered log: what every kind of reader works with, be it a delivery worker or a journal. Each reader has one of its
 * own and moves at its own pace, but the log is bounded: a reader that stops, or holds what it has read, stops the ring in the end.
 */
import type { OrderedLogShape } from './ordered-log.ts';

export interface LogPosition {
  readonly shape: OrderedLogShape;
  /** The data of all term buffers; byte B of term buffer T is at `T * shape.termBytes + B`. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The index. Word W of the current entry is `index[entry + W]`, W being one of the ENTRY_* of `ordered-log.ts`. */
  readonly index: Int32Array;
  readonly entry: number;
  /** Term buffer the reader is in; all others are kept by `hold` only. */
  readonly termBuffer: number;
  /** Entries met so far, the current one included, modulo 2^32. */
  readonly head: number;
  /** Entries published so far, modulo 2^32. */
  readonly tail: number;
  /** Term buffers that the reader has read past and still holds. */
  readonly pinnedTermBuffers: number;
  /**
   * Moves to the next entry. The term buffer of the one before may be reused from then on, unless it is the same or is held.
   * @returns false when there is none; `finish` then lets the writer reuse the index entries that were read
   */
  next(): boolean;
  /** Gives the index entries read so far back to the writer. */
  finish(): void;
  /** Whether entries wait; does not move. */
  hasMore(): boolean;
  /**
   * Keeps the bytes of `termBuffer` from being reused until a matching `unhold`: they are still in use after `next`, for example by a
   * write.
   */
  hold(termBuffer: number): void;
  unhold(termBuffer: number): void;
}

/** What a part needs that uses bytes of the log and does not walk it. */
export type LogHolds = Pick<LogPosition, 'shape' | 'pinnedTermBuffers' | 'hold' | 'unhold'>;
