/**
 * Bytes of one client that could not be handled in the worker's read buffer: the beginning of a frame whose rest is still on its
 * way, or everything behind the point where the submit queue was full. Empty most of the time.
 */
const SMALLEST_BYTES = 1024;
/** A larger buffer is given back as soon as it is empty. */
const KEEP_BYTES = 16 * 1024;

export class SessionInput {
  bytes: Buffer | null = null;
  view: DataView | null = null;
  start = 0;
  end = 0;
  /** The submit queue was full: the socket is not read until the bytes kept here are through. */
  stalled = false;
  /** In the handshake: the socket is not read until the session is open. */
  paused = false;
  /** Since when the frame at the front waits for its rest; 0: it does not, or it is unknown. */
  incompleteSinceMs = 0;
  /** Of `bytes`, as it is counted with the input of all sessions. */
  countedBytes = 0;
  /** Read and thrown away since the connection was refused. */
  discardedBytes = 0;
  /** The client closed its side; the session ends when the bytes kept here are through. */
  ended = false;

  get length(): number {
    return this.end - this.start;
  }

  /** Keeps `source[from, to)` behind what is kept already. */
  append(source: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    source.copy(this.bytes!, this.end, from, to);
    this.end += to - from;
  }

  consume(to: number): void {
    if (to > this.start) this.incompleteSinceMs = 0;
    this.start = to;
    if (this.start < this.end) return;
    this.start = 0;
    this.end = 0;
    if (this.bytes !== null && this.bytes.length > KEEP_BYTES) this.clear();
  }

  clear(): void {
    this.bytes = null;
    this.view = null;
    this.start = 0;
    this.end = 0;
  }

  #reserve(more: number): void {
    const { bytes } = this;
    if (bytes !== null && this.end + more <= bytes.length) return;
    const length = this.length;
    if (bytes !== null && length + more <= bytes.length) {
      bytes.copyWithin(0, this.start, this.end);
    } else {
      let capacity = SMALLEST_BYTES;
      while (capacity < length + more) capacity *= 2;
      const grown = Buffer.allocUnsafeSlow(capacity);
      if (bytes !== null) bytes.copy(grown, 0, this.start, this.end);
      this.bytes = grown;
      this.view = new DataView(grown.buffer, grown.byteOffset, grown.length);
    }
    this.start = 0;
    this.end = length;
  }
}
