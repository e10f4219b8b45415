const NEWLINE = 0x0a;

/** A line longer than the limit; nothing after it can be trusted to be a line. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';

  /** @param lineNumber 1-based */
  constructor(lineNumber: number, maxLineBytes: number) {
    super(`line ${lineNumber} is longer than ${maxLineBytes} bytes, the limit`);
  }
}

/** Cuts a stream of bytes into lines. A line is its bytes without the newline; the rest after the last newline waits. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #lines = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that `chunk` completes, views of it where that is possible. @throws LineTooLongError */
  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** What came after the last newline, or null. The splitter is as new then. */
  end(): Buffer | null {
    return this.#restBytes === 0 ? null : this.#complete(Buffer.alloc(0));
  }

  #complete(tail: Buffer): Buffer {
    this.#lines++;
    if (this.#restBytes === 0) {
      if (tail.length > this.#maxLineBytes) throw new LineTooLongError(this.#lines, this.#maxLineBytes);
      return tail;
    }
    this.#keep(tail, this.#lines);
    const line = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }

  #keep(part: Buffer, lineNumber: number = this.#lines + 1): void {
    this.#restBytes += part.length;
    if (this.#restBytes > this.#maxLineBytes) throw new LineTooLongError(lineNumber, this.#maxLineBytes);
    this.#rest.push(part);
  }
}
