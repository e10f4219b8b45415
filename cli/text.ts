/** Numbers and tables for people. */
import { plural } from '../engine/plural.ts';

/** `1,234,567` in every locale. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');

const THOUSANDS = ['', 'k', 'M', 'G', 'T'] as const;

/** `999`, `1.23k`, `45.6M`: at most five characters below 1000 T, three of them digits. */
export function compact(value: number): string {
  let scaled = Math.round(value);
  let power = 0;
  // A value that rounds to 1000 becomes 1.00 of the next unit.
  while (scaled >= 999.5 && power < THOUSANDS.length - 1) {
    scaled /= 1000;
    power++;
  }
  return power === 0 ? String(scaled) : `${scaled.toPrecision(3)}${THOUSANDS[power]}`;
}

/** `1 line`, `1,234 lines`. */
export const counted = (count: number, noun: string): string => `${grouped(count)} ${plural(count, noun)}`;

/** `1 client`, `1.23k clients`. */
export const compactly = (count: number, noun: string): string => `${compact(count)} ${plural(count, noun)}`;

/** Seconds, with two decimals below 10 s and one from there on. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

/** Columns with two blanks between. @param textColumns aligned to the left, the others to the right; default: the first */
export function table(rows: readonly (readonly string[])[], textColumns: readonly number[] = [0]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (textColumns.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Lines of at most `width` characters, except for longer words. They begin with `first`, then with `rest`. */
export function wrapped(text: string, width: number, first: string, rest: string): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Foreign text with control characters escaped, so that it cannot control the terminal. Line feeds and tabs stay. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what it escapes
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
