/** Unusual lines of a source: a warning for the first of each kind, and counts for the summary. */
import { isUtf8 } from 'node:buffer';
import { counted } from '../text.ts';
import type { LongLinePolicy } from './line-splitter.ts';

const CARRIAGE_RETURN = 0x0d;

const LONG_LINE_TEXT: Readonly<Record<LongLinePolicy, string>> = {
  skip: 'left out',
  split: 'sent as several messages',
  truncate: 'cut off',
  fail: 'refused',
};

export interface LineCounts {
  readonly longLines: number;
  readonly notUtf8: number;
  readonly withNul: number;
  readonly withCarriageReturn: number;
  /** Lines that were read but not sent when the command was stopped. */
  readonly notSent: number;
  /** Of lines without an end. */
  readonly unfinishedBytes: number;
}

export class LineNotes {
  readonly #policy: LongLinePolicy;
  readonly #maxLineBytes: number;
  readonly #warn: (text: string) => void;
  #longLines = 0;
  #notUtf8 = 0;
  #withNul = 0;
  #withCarriageReturn = 0;
  notSent = 0;
  unfinishedBytes = 0;

  constructor(policy: LongLinePolicy, maxLineBytes: number, warn: (text: string) => void) {
    this.#policy = policy;
    this.#maxLineBytes = maxLineBytes;
    this.#warn = warn;
  }

  longLine(lineNumber: number): void {
    if (this.#longLines++ > 0) return;
    const what = LONG_LINE_TEXT[this.#policy];
    this.#warn(
      `line ${lineNumber} is longer than ${this.#maxLineBytes} bytes, the limit of a message: all such lines are ${what}`,
    );
  }

  look(lines: readonly Buffer[]): void {
    for (const line of lines) {
      if (!isUtf8(line) && this.#notUtf8++ === 0)
        this.#warn('a line is not UTF-8: all such lines are sent as they are');
      if (line.includes(0) && this.#withNul++ === 0)
        this.#warn('a line has NUL bytes: all such lines are sent as they are');
      if (line[line.length - 1] === CARRIAGE_RETURN && this.#withCarriageReturn++ === 0)
        this.#warn('a line ends with CR LF: the CR of all such lines is sent; --crlf removes it');
    }
  }

  get counts(): LineCounts {
    return {
      longLines: this.#longLines,
      notUtf8: this.#notUtf8,
      withNul: this.#withNul,
      withCarriageReturn: this.#withCarriageReturn,
      notSent: this.notSent,
      unfinishedBytes: this.unfinishedBytes,
    };
  }

  /** For people; empty when nothing was unusual. */
  summary(): readonly string[] {
    const texts: string[] = [];
    const add = (count: number, noun: string, what: string): void => {
      if (count > 0) texts.push(`${counted(count, noun)} ${what}`);
    };
    add(this.#longLines, 'line', `longer than ${this.#maxLineBytes} bytes ${LONG_LINE_TEXT[this.#policy]}`);
    add(this.#notUtf8, 'line', 'not in UTF-8');
    add(this.#withNul, 'line', 'with NUL bytes');
    add(this.#withCarriageReturn, 'line', 'with CR at the end');
    add(this.notSent, 'line', 'read and not sent');
    add(this.unfinishedBytes, 'byte', 'of an unfinished line not sent');
    return texts;
  }
}

/** Removes a CR at the end of each line. */
export const withoutCarriageReturns = (lines: readonly Buffer[]): readonly Buffer[] =>
  lines.map((line) => (line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line));
