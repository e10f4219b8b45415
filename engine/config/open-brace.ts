import type { Position } from './syntax-tree.ts';

/** A word ends at these. */
const isWordEnd = (char: string | undefined): boolean => char === undefined || ' \t\r\n#{}'.includes(char);

/** The innermost `{` before `end` that no `}` closes; null when all are closed. Braces in comments and strings do not count. */
export function openBrace(text: string, end: number): Position | null {
  const open: Position[] = [];
  let line = 1;
  let lineStart = 0;
  for (let at = 0; at < end; at++) {
    const char = text[at]!;
    if (char === '\n') {
      line++;
      lineStart = at + 1;
    } else if (char === '{') open.push({ line, column: at - lineStart + 1 });
    else if (char === '}') open.pop();
    else if (char === '#') at = endOf(text, '\n', at) - 1;
    else if ((char === '"' || char === "'") && isWordEnd(text[at - 1])) at = endOfString(text, char, at);
  }
  return open.at(-1) ?? null;
}

function endOf(text: string, char: string, from: number): number {
  const found = text.indexOf(char, from);
  return found === -1 ? text.length : found;
}

/** Strings end on their line; one without an end is no string. */
function endOfString(text: string, quote: string, from: number): number {
  const end = endOf(text, quote, from + 1);
  return end < endOf(text, '\n', from) ? end : from;
}
