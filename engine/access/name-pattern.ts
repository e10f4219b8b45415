/**
 * Names with `*`, which stands for any characters, also for none and for dots. Everything else stands for itself; case counts. A match
 * takes at most the product of both lengths, and allocates nothing.
 */

/** Whether `pattern` fits the characters `bytes[start, end)`, one byte each. */
export function matchesBytes(pattern: string, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let next = 0;
  // The last `*`, and how far what it stands for goes: a later one never needs an earlier one to be tried again.
  let star = -1;
  let starEnd = start;
  while (at < end) {
    if (next < pattern.length && pattern.charCodeAt(next) === STAR) {
      star = next++;
      starEnd = at;
    } else if (next < pattern.length && pattern.charCodeAt(next) === bytes[at]) {
      next++;
      at++;
    } else if (star !== -1) {
      next = star + 1;
      at = ++starEnd;
    } else return false;
  }
  while (next < pattern.length && pattern.charCodeAt(next) === STAR) next++;
  return next === pattern.length;
}

/** The same of a text, by its UTF-16 units. */
export function matchesText(pattern: string, text: string): boolean {
  const [first, ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return pattern === text;
  if (text.length < first!.length + last.length || !text.startsWith(first!) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first!.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

export const hasStar = (pattern: string): boolean => pattern.includes('*');

const STAR = 0x2a;
