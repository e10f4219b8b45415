/**
 * The access file: lines that say who may do what (docs/access.md).
 *
 *     user alice              join web.* news  send web.*  private
 *     address 10.0.0.0/8      join news
 *     user * unix             admin
 *
 * A file with a mistake is refused as a whole: a line that is left out would take a right away, or leave one.
 */
import { Findings } from '../config/config-error.ts';
import { closestWord, suggestion } from '../config/did-you-mean.ts';
import type { Word } from '../config/syntax-tree.ts';
import {
  MAX_DAEMON_NAME_LENGTH,
  MAX_GROUP_NAME_LENGTH,
  MAX_NAME_BYTE,
  MAX_PRIVATE_NAME_LENGTH,
  MIN_NAME_BYTE,
} from '../wire/limits.ts';
import { ACCESS_RIGHTS, type AccessLine, type AccessRight, type AccessRules, type Who } from './access-rules.ts';
import { accessWords } from './access-words.ts';
import { contains, parseRange, rangeText, withoutHostBits } from './address-range.ts';

export const MAX_ACCESS_LINES = 10_000;
/** In the whole file. */
export const MAX_ACCESS_PATTERNS = 100_000;
/** Of a user and of a certificate. */
export const MAX_SUBJECT_CHARS = 255;

export interface AccessFile {
  readonly rules: AccessRules;
  /** Worth a line in the log each; they begin with the file's name. */
  readonly warnings: readonly string[];
}

const WHO_WORDS = ['user', 'certificate', 'address', 'unix', 'anyone'] as const;
type WhoWord = (typeof WHO_WORDS)[number];

/** They need no pattern: without one they are for all. */
const RIGHTS_WITHOUT_PATTERN: readonly AccessRight[] = ['private', 'admin'];
const ALL_OF_RIGHT: Readonly<Record<AccessRight, string>> = { join: '*', send: '*', private: '#*', admin: '*' };

/**
 * @param name of the file, for errors
 * @returns rules that are frozen, all through
 * @throws ConfigError with every mistake
 */
export function parseAccessFile(text: string, name: string): AccessFile {
  const findings = new Findings();
  const lines: AccessLine[] = [];
  let patterns = 0;
  for (const [i, raw] of text.split('\n').entries()) {
    const words = accessWords(raw, i + 1, findings);
    if (words === null || words.length === 0) continue;
    const line = new LineParser(words, findings).parse(raw.trim());
    if (line === null) continue;
    lines.push(line);
    patterns += ACCESS_RIGHTS.reduce((sum, right) => sum + line.grants[right].length, 0);
    if (lines.length > MAX_ACCESS_LINES)
      findings.problem(words[0]!, `the file has more than ${MAX_ACCESS_LINES} lines with rights, which is the limit`);
    else if (patterns > MAX_ACCESS_PATTERNS)
      findings.problem(words[0]!, `the file has more than ${MAX_ACCESS_PATTERNS} patterns, which is the limit`);
    else continue;
    break;
  }
  findings.throwIfAny({ name, text });
  const warnings: string[] = [];
  if (lines.length === 0) warnings.push(`${name}: has no line with rights; every join and every send is refused`);
  return { rules: Object.freeze({ lines: Object.freeze(lines) }), warnings };
}

/** One line: those it is for, then what they may do. */
class LineParser {
  readonly #words: readonly Word[];
  readonly #findings: Findings;
  readonly #who: { -readonly [Key in keyof Who]: Who[Key] } = {
    user: null,
    certificate: null,
    address: null,
    isUnix: false,
  };
  readonly #grants: Record<AccessRight, string[]> = { join: [], send: [], private: [], admin: [] };
  readonly #said = new Set<WhoWord>();
  #next = 0;

  constructor(words: readonly Word[], findings: Findings) {
    this.#words = words;
    this.#findings = findings;
  }

  /** Null when something is wrong, which is told. */
  parse(text: string): AccessLine | null {
    const problems = this.#findings.problems.length;
    if (!this.#parseWho() || !this.#parseRights() || this.#findings.problems.length > problems) return null;
    const grants = Object.freeze(
      Object.fromEntries(ACCESS_RIGHTS.map((right) => [right, Object.freeze(this.#grants[right])])),
    ) as AccessLine['grants'];
    return Object.freeze({ line: this.#words[0]!.line, text, who: Object.freeze(this.#who), grants });
  }

  #parseWho(): boolean {
    for (;;) {
      const word = this.#words[this.#next];
      const keyword = keywordOf(word, WHO_WORDS);
      if (word === undefined || keyword === null) break;
      this.#next++;
      if (this.#said.has(keyword)) return this.#fail(word, `${keyword} stands twice: make it two lines`);
      this.#said.add(keyword);
      if (!this.#takeWho(keyword, word)) return false;
    }
    if (this.#said.has('anyone') && this.#said.size > 1)
      return this.#fail(this.#words[0]!, 'anyone stands alone: it is every client, whatever else is known of it');
    if (this.#said.has('unix') && this.#said.has('address'))
      return this.#fail(this.#words[0]!, 'no client has both an address and the Unix socket: make it two lines');
    if (this.#said.size > 0) return true;
    const word = this.#words[0]!;
    const hint = suggestion(word.text, WHO_WORDS);
    return this.#wrong(word, 'start of the line', `one of ${WHO_WORDS.join(', ')}${hint}`);
  }

  #takeWho(keyword: WhoWord, at: Word): boolean {
    const who = this.#who;
    if (keyword === 'unix') who.isUnix = true;
    if (keyword === 'unix' || keyword === 'anyone') return true;
    const word = this.#words[this.#next++];
    if (word === undefined) return this.#fail(at, `${keyword} needs a value behind it`);
    if (keyword === 'address') return this.#takeAddress(word);
    if (!isSubjectPattern(word.text))
      return this.#wrong(word, keyword, `1 to ${MAX_SUBJECT_CHARS} characters without control characters or "**"`);
    who[keyword] = word.text;
    return true;
  }

  #takeAddress(word: Word): boolean {
    const range = parseRange(word.text);
    if ('wrong' in range) {
      const limit =
        range.wrong === 'address'
          ? 'an IP address or a range, such as 10.1.2.3, 10.0.0.0/8 or fd00::/8'
          : `a range with a prefix within the ${range.maxBits} bits of the address`;
      return this.#wrong(word, 'address', limit);
    }
    const masked = withoutHostBits(range);
    if (!contains(range, masked.network))
      return this.#fail(word, `address ${word.text} has bits set behind its prefix; is ${rangeText(masked)} meant?`);
    this.#who.address = Object.freeze({ network: Object.freeze(range.network), prefixBits: range.prefixBits });
    return true;
  }

  #parseRights(): boolean {
    const first = this.#words[this.#next];
    if (first === undefined)
      return this.#fail(this.#words.at(-1)!, `the line gives no right: add ${ACCESS_RIGHTS.join(', ')}`);
    while (this.#next < this.#words.length) {
      const word = this.#words[this.#next++]!;
      const right = keywordOf(word, ACCESS_RIGHTS);
      if (right === null) {
        const limit = `one of ${ACCESS_RIGHTS.join(', ')}${suggestion(word.text, ACCESS_RIGHTS)}`;
        return this.#wrong(word, 'right', limit);
      }
      if (!this.#takePatterns(right, word)) return false;
    }
    return true;
  }

  #takePatterns(right: AccessRight, at: Word): boolean {
    const patterns = this.#grants[right];
    const from = this.#next;
    for (let word = this.#words[from]; word !== undefined; word = this.#words[++this.#next]) {
      if (keywordOf(word, ACCESS_RIGHTS) !== null) break;
      if (keywordOf(word, WHO_WORDS) !== null)
        return this.#fail(word, `${word.text} belongs before the rights; a group of that name stands in quotes`);
      if (!word.quoted && word.text.endsWith(','))
        return this.#fail(word, 'blanks separate names; a name that ends with a comma stands in quotes');
      const meant = word.quoted ? null : nearRight(word.text);
      if (meant !== null)
        return this.#fail(word, `${word.text}: is the right ${meant} meant? A name so near to it stands in quotes`);
      const pattern = right === 'private' ? privatePattern(word.text) : groupPattern(word.text);
      if (pattern === null) return this.#wrong(word, `name behind ${right}`, right === 'private' ? PRIVATE : GROUP);
      patterns.push(pattern);
    }
    if (this.#next > from) return true;
    if (!RIGHTS_WITHOUT_PATTERN.includes(right))
      return this.#fail(at, `${right} needs the groups behind it, separated by blanks; * is all of them`);
    patterns.push(ALL_OF_RIGHT[right]);
    return true;
  }

  #fail(at: Word, message: string): false {
    this.#findings.problem(at, message);
    return false;
  }

  #wrong(at: Word, field: string, limit: string): false {
    this.#findings.wrongValue(at, field, at.text, limit);
    return false;
  }
}

function keywordOf<T extends string>(word: Word | undefined, keywords: readonly T[]): T | null {
  if (word === undefined || word.quoted) return null;
  return keywords.find((keyword) => keyword === word.text) ?? null;
}

/** A mistyped right among names would be a name, and give other rights to those behind it. Null: the word is near to none. */
function nearRight(word: string): string | null {
  const right = closestWord(word, ACCESS_RIGHTS);
  return right !== null && Math.abs(right.length - word.length) <= 1 ? right : null;
}

const NAME_BYTES = `characters from "${String.fromCharCode(MIN_NAME_BYTE)}" to "${String.fromCharCode(MAX_NAME_BYTE)}"`;
const GROUP = `1 to ${MAX_GROUP_NAME_LENGTH} ${NAME_BYTES} beside its *, and no "**"`;
const PRIVATE = `name, name#daemon or #name#daemon, with up to ${MAX_PRIVATE_NAME_LENGTH} and ${MAX_DAEMON_NAME_LENGTH} ${NAME_BYTES} beside its *, and no "**"`;

/** Null when no group can be meant. */
const groupPattern = (text: string): string | null => (isNamePattern(text, MAX_GROUP_NAME_LENGTH) ? text : null);

/** As a pattern of whole private names; without a daemon it is for every daemon. Null when no private name can be meant. */
function privatePattern(text: string): string | null {
  const [name = '', daemon, ...more] = text.replace(/^#/, '').split('#');
  if (more.length > 0 || !isNamePattern(name, MAX_PRIVATE_NAME_LENGTH)) return null;
  // Clients may send to names that no session can have, which reaches nobody: who may send to all may do that.
  if (daemon === undefined) return name === '*' ? ALL_OF_RIGHT.private : `#${name}#*`;
  return isNamePattern(daemon, MAX_DAEMON_NAME_LENGTH) ? `#${name}#${daemon}` : null;
}

function isNamePattern(text: string, maxLength: number): boolean {
  if (text === '' || text.includes('**') || text.replaceAll('*', '').length > maxLength) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < MIN_NAME_BYTE || code > MAX_NAME_BYTE) return false;
  }
  return true;
}

const isSubjectPattern = (text: string): boolean =>
  text.length >= 1 && text.length <= MAX_SUBJECT_CHARS && !text.includes('**') && !/[\p{Cc}\u{fffd}]/u.test(text);
