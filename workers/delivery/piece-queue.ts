/** What waits for one session outside of the ordered log, oldest first: shared blocks and frames of its own. */
import type { Block, KeptBytes } from './kept-bytes.ts';

/** What a piece costs beside its bytes, about. */
const PIECE_COST_BYTES = 64;

interface Piece {
  /** Null: the bytes are the session's own. */
  readonly block: Block | null;
  readonly owned: Buffer | null;
  readonly start: number;
  end: number;
  frames: number;
}

export class PieceQueue {
  readonly #store: KeptBytes;
  #pieces: Piece[] = [];
  #first = 0;

  constructor(store: KeptBytes) {
    this.#store = store;
  }

  get count(): number {
    return this.#pieces.length - this.#first;
  }

  pushBlock(block: Block, start: number, end: number, frames: number): void {
    const last = this.#pieces[this.#pieces.length - 1];
    if (last !== undefined && this.count > 0 && last.block === block && last.end === start) {
      last.end = end;
      last.frames += frames;
      return;
    }
    block.uses++;
    this.#push({ block, owned: null, start, end, frames });
  }

  pushOwned(owned: Buffer, frames: number): void {
    this.#store.privateBytes += owned.length;
    this.#push({ block: null, owned, start: 0, end: owned.length, frames });
  }

  lengthOf(i: number): number {
    const piece = this.#pieces[this.#first + i]!;
    return piece.end - piece.start;
  }

  framesOf(i: number): number {
    return this.#pieces[this.#first + i]!.frames;
  }

  /** Valid until the piece is dropped, if it is being written, else until the next call that keeps or drops anything. */
  view(i: number): Buffer {
    const { block, owned, start, end } = this.#pieces[this.#first + i]!;
    return block === null ? owned!.subarray(start, end) : block.view(start, end);
  }

  /** Sockets read from the first `count` pieces until `endWrite`. */
  beginWrite(count: number): void {
    for (let i = 0; i < count; i++) {
      const { block } = this.#pieces[this.#first + i]!;
      if (block !== null) this.#store.beginWrite(block);
    }
  }

  endWrite(count: number): void {
    for (let i = 0; i < count; i++) {
      const { block } = this.#pieces[this.#first + i]!;
      if (block !== null) this.#store.endWrite(block);
    }
  }

  /** Lets `count` pieces behind the first `kept` go. */
  drop(kept: number, count: number): void {
    for (let i = this.#first + kept; i < this.#first + kept + count; i++) {
      const { block, owned } = this.#pieces[i]!;
      this.#store.privateBytes -= PIECE_COST_BYTES + (owned?.length ?? 0);
      if (block !== null) this.#store.release(block);
    }
    if (kept > 0) this.#pieces.splice(this.#first + kept, count);
    else this.#first += count;
    if (this.#first === this.#pieces.length) {
      this.#pieces = [];
      this.#first = 0;
    } else if (this.#first >= COMPACT_EVERY && this.#first * 2 >= this.#pieces.length) {
      this.#pieces.splice(0, this.#first);
      this.#first = 0;
    }
  }

  #push(piece: Piece): void {
    this.#store.privateBytes += PIECE_COST_BYTES;
    this.#pieces.push(piece);
  }
}

/** Dropped pieces are kept referenced until this many can be forgotten at once. */
const COMPACT_EVERY = 32;
