const NEWLINE = 0x0a;

/** What happens to a line longer than the limit: it is skipped, split into messages, truncated, or ends the command. */
export const LONG_LINE_POLICIES = ['skip', 'split', 'truncate', 'fail'] as const;
export type LongLinePolicy = (typeof LONG_LINE_POLICIES)[number];

/** A line longer than the limit, under the policy `fail`. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';

  /** @param lineNumber 1-based */
  constructor(lineNumber: number, maxLineBytes: number) {
    super(
      `line ${lineNumber} is longer than ${maxLineBytes} bytes, the limit; --long-lines chooses how to treat such lines`,
    );
  }
}

export interface LineSplitterOptions {
  /** Longest line, in bytes. */
  readonly maxLineBytes: number;
  /** Default `fail`. */
  readonly longLines?: LongLinePolicy;
  /** Called once for each line that is too long. @param lineNumber 1-based */
  readonly onLongLine?: (lineNumber: number) => void;
}

/**
 * Splits a stream of bytes into lines, without their newlines. Keeps the bytes after the last newline for the next call, but never more than
 * the limit.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #policy: LongLinePolicy;
  readonly #onLongLine: (lineNumber: number) => void;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #lines = 0;
  /** The current line is too long: the policy handles the rest of it. */
  #isLong = false;

  constructor({ maxLineBytes, longLines = 'fail', onLongLine = () => undefined }: LineSplitterOptions) {
    this.#maxLineBytes = maxLineBytes;
    this.#policy = longLines;
    this.#onLongLine = onLongLine;
  }

  #failure: LineTooLongError | null = null;

  /** Bytes kept of an unfinished line. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** Throws after a line was too long under the policy `fail`. `push` has returned the lines before it. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** The lines that `chunk` completes, as views of it where possible. Handle them, then call `check`. */
  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1 && this.#failure === null; end = chunk.indexOf(NEWLINE, start)) {
      const part = chunk.subarray(start, end);
      if (this.#restBytes === 0 && !this.#isLong && part.length <= this.#maxLineBytes) {
        this.#lines++;
        lines.push(part);
      } else {
        this.#take(part, lines);
        this.#finish(lines);
      }
      start = end + 1;
    }
    if (start < chunk.length && this.#failure === null) this.#take(chunk.subarray(start), lines);
    return lines;
  }

  /** Returns the bytes after the last newline, or null, and resets the splitter. */
  end(): Buffer | null {
    const lines: Buffer[] = [];
    if (this.#restBytes > 0 || this.#isLong) this.#finish(lines);
    return lines[0] ?? null;
  }

  /** Adds bytes to the current line. */
  #take(part: Buffer, lines: Buffer[]): void {
    let bytes = part;
    if (!this.#isLong && this.#restBytes + bytes.length > this.#maxLineBytes) this.#becomeLong();
    if (!this.#isLong) {
      this.#keep(bytes);
      return;
    }
    if (this.#policy === 'skip' || this.#policy === 'fail') return;
    while (this.#restBytes + bytes.length > this.#maxLineBytes) {
      // The rest of a truncated line is dropped.
      if (this.#policy === 'truncate' && this.#restBytes >= this.#maxLineBytes) return;
      const room = this.#maxLineBytes - this.#restBytes;
      this.#keep(bytes.subarray(0, room));
      bytes = bytes.subarray(room);
      if (this.#policy === 'truncate') return;
      const whole = this.#joined();
      const cut = characterBoundary(whole);
      lines.push(whole.subarray(0, cut));
      if (cut < whole.length) this.#keep(whole.subarray(cut));
    }
    this.#keep(bytes);
  }

  #becomeLong(): void {
    this.#isLong = true;
    if (this.#policy === 'fail') {
      this.#failure ??= new LineTooLongError(this.#lines + 1, this.#maxLineBytes);
      return;
    }
    this.#onLongLine(this.#lines + 1);
    if (this.#policy !== 'skip') return;
    this.#rest = [];
    this.#restBytes = 0;
  }

  /** The current line has ended. */
  #finish(lines: Buffer[]): void {
    this.#lines++;
    const isLong = this.#isLong;
    this.#isLong = false;
    if (this.#failure !== null || (isLong && this.#policy === 'skip')) return;
    const line = this.#joined();
    lines.push(isLong && this.#policy === 'truncate' ? line.subarray(0, characterBoundary(line)) : line);
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#restBytes += part.length;
    this.#rest.push(part);
  }

  #joined(): Buffer {
    const [only] = this.#rest;
    const line = this.#rest.length === 1 ? (only as Buffer) : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }
}

const UTF8_CONTINUATION = 0b1000_0000;
const UTF8_LONGEST = 4;

/** Where to cut without splitting a UTF-8 character; the whole length if it ends with a character, or is not UTF-8. */
function characterBoundary(bytes: Buffer): number {
  for (let back = 1; back < UTF8_LONGEST && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0b1100_0000) === UTF8_CONTINUATION) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back && back < bytes.length ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
