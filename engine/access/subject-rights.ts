/** What one client may do, ready to be asked for each of its messages: without allocation, and mostly without looking at a pattern. */
import { NAME_FIELD_LENGTH, PRIVATE_NAME_MARK } from '../wire/limits.ts';
import {
  canonicalName,
  fieldEqualsWords,
  hashNameWords,
  NAME_WORDS,
  nameWords,
  sameNameWords,
} from '../wire/name-hash.ts';
import { type AccessRules, type AccessSubject, linesFor } from './access-rules.ts';
import { hasStar, matchesBytes, matchesText } from './name-pattern.ts';

/** Targets whose verdict is remembered; a power of two. */
const CACHED_TARGETS = 64;
const UNKNOWN = 0;
const ALLOWED = 1;

export class SubjectRights {
  /** What it was made of. */
  readonly rules: AccessRules;
  /** No line gives it anything. */
  readonly isEmpty: boolean;
  readonly #join: NameSet;
  readonly #send: NameSet;
  readonly #private: NameSet;
  readonly #admin: readonly string[];
  /** By a hash of the field: its words, bytes behind the NUL included, and the verdict. One target displaces another. */
  readonly #cachedWords = new Int32Array(CACHED_TARGETS * NAME_WORDS);
  readonly #cachedVerdicts = new Uint8Array(CACHED_TARGETS);
  readonly #field = new Int32Array(NAME_WORDS);

  constructor(rules: AccessRules, subject: AccessSubject) {
    this.rules = rules;
    const lines = linesFor(rules, subject);
    this.isEmpty = lines.every(({ grants }) => Object.values(grants).every((patterns) => patterns.length === 0));
    this.#join = new NameSet(lines.flatMap(({ grants }) => grants.join));
    this.#send = new NameSet(lines.flatMap(({ grants }) => grants.send));
    this.#private = new NameSet(lines.flatMap(({ grants }) => grants.private));
    this.#admin = [...new Set(lines.flatMap(({ grants }) => grants.admin))];
  }

  /** @param offset of the name field in `view`, and in `bytes`, which is the same memory */
  mayJoin(bytes: Uint8Array, view: DataView, offset: number): boolean {
    return this.#join.has(bytes, view, offset);
  }

  /** @param group empty: the daemon itself. Not for hot paths */
  mayAdminister(group: string): boolean {
    return this.#admin.some((pattern) => matchesText(pattern, group));
  }

  /** @param hash that equal fields have in common; 0: not known */
  maySendTo(bytes: Uint8Array, view: DataView, offset: number, hash: number): boolean {
    const slot = (hash === 0 ? this.#hashOf(view, offset) : hash) & (CACHED_TARGETS - 1);
    const cached = this.#cachedVerdicts[slot]!;
    // A hash alone would let a client make a name with the hash of an allowed one.
    if (cached !== UNKNOWN && fieldEqualsWords(view, offset, this.#cachedWords, slot * NAME_WORDS))
      return cached === ALLOWED;
    const names = bytes[offset] === PRIVATE_NAME_MARK ? this.#private : this.#send;
    const isAllowed = names.has(bytes, view, offset);
    for (let w = 0; w < NAME_WORDS; w++) this.#cachedWords[slot * NAME_WORDS + w] = view.getInt32(offset + w * 4, true);
    this.#cachedVerdicts[slot] = isAllowed ? ALLOWED : ALLOWED + 1;
    return isAllowed;
  }

  #hashOf(view: DataView, offset: number): number {
    for (let w = 0; w < NAME_WORDS; w++) this.#field[w] = view.getInt32(offset + w * 4, true);
    return hashNameWords(this.#field, 0);
  }
}

/** Names that patterns fit. Plain names are looked up, however many there are. */
class NameSet {
  readonly #plain = new Map<number, Int32Array[]>();
  readonly #patterns: readonly string[];
  readonly #words = new Int32Array(NAME_WORDS);

  constructor(patterns: readonly string[]) {
    this.#patterns = [...new Set(patterns.filter(hasStar))];
    for (const name of patterns) {
      if (hasStar(name)) continue;
      const words = nameWords(name);
      const hash = hashNameWords(words, 0);
      const same = this.#plain.get(hash);
      if (same === undefined) this.#plain.set(hash, [words]);
      else same.push(words);
    }
  }

  has(bytes: Uint8Array, view: DataView, offset: number): boolean {
    if (this.#plain.size > 0 && this.#isPlain(view, offset)) return true;
    if (this.#patterns.length === 0) return false;
    const end = nameEnd(bytes, offset);
    for (const pattern of this.#patterns) if (matchesBytes(pattern, bytes, offset, end)) return true;
    return false;
  }

  #isPlain(view: DataView, offset: number): boolean {
    canonicalName(view, offset, this.#words, 0);
    const same = this.#plain.get(hashNameWords(this.#words, 0));
    if (same === undefined) return false;
    for (const words of same) if (sameNameWords(words, 0, this.#words, 0)) return true;
    return false;
  }
}

/** Byte 31 counts as NUL, as where messages are delivered. */
function nameEnd(bytes: Uint8Array, offset: number): number {
  let end = offset;
  while (end < offset + NAME_FIELD_LENGTH - 1 && bytes[end] !== 0) end++;
  return end;
}
