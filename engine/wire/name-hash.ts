/**
 * Names as eight 32-bit words. A name field is 32 bytes, NUL-terminated, and what follows the NUL may be garbage
 * (client-protocol.md, section 2.5), so two fields hold the same name when their *canonical* words (zero behind the NUL) agree.
 */
import { NAME_FIELD_LENGTH } from './limits.ts';

export const NAME_WORDS = NAME_FIELD_LENGTH / 4;

/** Writes the canonical words of the name field at `offset` to `words[at .. at + 8)`. Byte 31 counts as NUL. */
export function canonicalName(view: DataView, offset: number, words: Int32Array, at: number): void {
  let ended = false;
  for (let w = 0; w < NAME_WORDS; w++) {
    if (ended) {
      words[at + w] = 0;
      continue;
    }
    let word = view.getInt32(offset + w * 4, true);
    if (w === NAME_WORDS - 1) word &= 0x00ff_ffff;
    if ((word & 0xff) === 0) {
      word = 0;
      ended = true;
    } else if ((word & 0xff00) === 0) {
      word &= 0xff;
      ended = true;
    } else if ((word & 0xff_0000) === 0) {
      word &= 0xffff;
      ended = true;
    } else if ((word & 0xff00_0000) === 0) {
      ended = true;
    }
    words[at + w] = word;
  }
}

/** Canonical words of a name given as text (Latin-1, at most 31 characters). */
export function nameWords(name: string): Int32Array {
  const bytes = new Uint8Array(NAME_FIELD_LENGTH);
  for (let i = 0; i < name.length && i < NAME_FIELD_LENGTH - 1; i++) bytes[i] = name.charCodeAt(i);
  const words = new Int32Array(NAME_WORDS);
  canonicalName(new DataView(bytes.buffer), 0, words, 0);
  return words;
}

/** Hash of canonical words; never 0, which stands for "no single target". */
export function hashNameWords(words: Int32Array, at: number): number {
  let hash = 0x811c_9dc5 | 0;
  for (let w = at; w < at + NAME_WORDS; w++) {
    hash = Math.imul(hash ^ words[w]!, 0x85eb_ca6b);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0xc2b2_ae35);
  hash ^= hash >>> 16;
  return hash === 0 ? 1 : hash;
}

export function sameNameWords(a: Int32Array, atA: number, b: Int32Array, atB: number): boolean {
  for (let w = 0; w < NAME_WORDS; w++) if (a[atA + w] !== b[atB + w]) return false;
  return true;
}

/** Whether the name field at `offset` is exactly these words, bytes behind the NUL included. */
export function fieldEqualsWords(view: DataView, offset: number, words: Int32Array, at: number): boolean {
  return (
    view.getInt32(offset, true) === words[at] &&
    view.getInt32(offset + 4, true) === words[at + 1] &&
    view.getInt32(offset + 8, true) === words[at + 2] &&
    view.getInt32(offset + 12, true) === words[at + 3] &&
    view.getInt32(offset + 16, true) === words[at + 4] &&
    view.getInt32(offset + 20, true) === words[at + 5] &&
    view.getInt32(offset + 24, true) === words[at + 6] &&
    view.getInt32(offset + 28, true) === words[at + 7]
  );
}
