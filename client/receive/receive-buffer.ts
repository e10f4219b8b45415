const INITIAL_CAPACITY = 64 * 1024;
/** Reads grow the buffer up to here; a single longer frame makes it as long as it needs, for as long as it takes. */
const MAX_READ_CAPACITY = 512 * 1024;

/**
 * The bytes read from the daemon and not yet consumed, `bytes[start, end)`. The socket reads into the room behind
 * `end`; consumers advance `start`. Only what is left of a chunk, a frame cut by its end, is ever moved.
 */
export class ReceiveBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_CAPACITY);
  view: DataView = viewOf(this.bytes);
  start = 0;
  end = 0;
  #neededLength = 0;
  #grow = false;

  /** Notes that `lengthBytes` bytes were read into the room last given out. */
  commit(lengthBytes: number): void {
    this.end += lengthBytes;
    this.#grow = this.end === this.bytes.length;
  }

  /** What is unread needs `lengthBytes` bytes in all before it can be consumed. */
  need(lengthBytes: number): void {
    this.#neededLength = lengthBytes;
  }

  /**
   * Room for the next read; never empty. Bytes before `start` are given up. The buffer grows with what has come, not with what a
   * length field says: it at most doubles with each read that fills it. One made for a long frame is given up when that is consumed.
   */
  room(): Uint8Array {
    const unread = this.end - this.start;
    const needed = this.#neededLength;
    let capacity = this.bytes.length;
    if (this.#grow && capacity < MAX_READ_CAPACITY) capacity *= 2;
    if (capacity < needed && needed <= MAX_READ_CAPACITY) while (capacity < needed) capacity *= 2;
    if (capacity === unread) capacity = needed > unread ? Math.min(capacity * 2, needed) : capacity * 2;
    if (capacity > MAX_READ_CAPACITY && unread <= MAX_READ_CAPACITY / 2 && needed <= MAX_READ_CAPACITY)
      capacity = MAX_READ_CAPACITY;
    this.#grow = false;
    this.#neededLength = 0;
    if (capacity !== this.bytes.length) this.#move(capacity);
    else if (this.start > 0 && unread > 0) this.bytes.copyWithin(0, this.start, this.end);
    this.start = 0;
    this.end = unread;
    return unread === 0 ? this.bytes : this.bytes.subarray(unread);
  }

  #move(capacity: number): void {
    const moved = Buffer.allocUnsafeSlow(capacity);
    moved.set(this.bytes.subarray(this.start, this.end));
    this.bytes = moved;
    this.view = viewOf(moved);
  }
}

/** A DataView over exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
