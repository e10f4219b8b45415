/** Splits a line of an access file into words. */
import type { Findings } from '../config/config-error.ts';
import type { Word } from '../config/syntax-tree.ts';

/** A quoted word, an open quote, or a bare word. */
const WORD = /"([^"]*)"(?=\s|$)|"|\S+/g;

/**
 * Words are separated by blanks; one that has blanks, or is to be no keyword, is in double quotes. `#` begins a comment at the start of
 * a line, and elsewhere where it stands alone: in front of a name it is the mark of private names.
 * @returns null when a quote is open
 */
export function accessWords(text: string, line: number, findings: Findings): readonly Word[] | null {
  if (text.trimStart().startsWith('#')) return [];
  const words: Word[] = [];
  for (const match of text.matchAll(WORD)) {
    const [found, quoted] = match;
    const at = { line, column: match.index + 1, lengthChars: found.length };
    if (found === '"') {
      findings.problem(
        at,
        'a quoted word has no end: it needs a second ", with a blank or the end of the line behind it',
      );
      return null;
    }
    if (found === '#') break;
    words.push({ ...at, text: quoted ?? found, quoted: quoted !== undefined });
  }
  return words;
}
