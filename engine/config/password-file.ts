/**
 * The password file of the PWORD method: lines `user:scrypt$N$r$p$salt$hash`, salt and hash in base64. Comments start
 * with `#`. Parsing only; checking a password costs time by design and happens off the hot path.
 *
 * The original's file holds 13-character DES crypt hashes. They are recognised and refused: 56 bits protect nothing.
 */
import { base64Bytes } from '../base64.ts';
import { type ConfigProblem, Findings } from './config-error.ts';

export interface PasswordEntry {
  readonly user: string;
  /** Cost of scrypt: a power of two. */
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  /** Base64. */
  readonly salt: string;
  /** Base64. Its length is the length of the key to derive. */
  readonly hash: string;
}

export interface PasswordFile {
  readonly entries: ReadonlyMap<string, PasswordEntry>;
  /** Lines that are ignored, for the log. Never contains a hash. */
  readonly problems: readonly ConfigProblem[];
}

/** The exchange has a field of 32 bytes, NUL included (section 1.6). */
export const MAX_USER_LENGTH = 31;
/** Memory that scrypt needs is 128 * N * r bytes; a line must not be able to exhaust the machine. */
export const MAX_SCRYPT_BYTES = 256 * 1024 * 1024;
const MAX_PARALLELIZATION = 16;
const MAX_BLOCK_SIZE = 1024;
/** scrypt with the smallest block size allows only lower costs (RFC 7914: N < 2^(128 * r / 8)). */
const COST_LIMIT_OF_BLOCK_SIZE_1 = 65_536;
const SALT_BYTES = { min: 8, max: 64 };
export const LONGEST_HASH_BYTES = 128;
const HASH_BYTES = { min: 16, max: LONGEST_HASH_BYTES };

/** Never throws: bad lines are skipped and reported. */
export function parsePasswordFile(text: string): PasswordFile {
  const findings = new Findings();
  const entries = new Map<string, PasswordEntry>();
  for (const [i, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const at = { line: i + 1, column: 1 };
    const entry = parseLine(content, at, findings);
    if (entry === null) continue;
    if (entries.has(entry.user)) findings.problem(at, `user "${entry.user}" is listed twice; the first line counts`);
    else entries.set(entry.user, entry);
  }
  return { entries, problems: findings.problems };
}

type At = { readonly line: number; readonly column: number };

function parseLine(content: string, at: At, findings: Findings): PasswordEntry | null {
  const colon = content.indexOf(':');
  if (colon < 0) {
    findings.problem(at, 'expected user:scrypt$N$r$p$salt$hash');
    return null;
  }
  const user = content.slice(0, colon);
  if (!/^[!-~]+$/.test(user) || user.length > MAX_USER_LENGTH) {
    findings.wrongValue(at, 'user', user, `1 to ${MAX_USER_LENGTH} printable ASCII characters without blanks`);
    return null;
  }
  const stored = content.slice(colon + 1);
  if (!stored.startsWith('scrypt$')) {
    const what = /^[./0-9A-Za-z]{13}$/.test(stored) ? 'a DES crypt hash' : 'no scrypt hash';
    findings.problem(at, `user "${user}" has ${what}, which is not supported: set the password with "skein passwd"`);
    return null;
  }
  return parseScrypt(user, stored, at, findings);
}

const SCRYPT = /^scrypt\$(\d{1,9})\$(\d{1,9})\$(\d{1,9})\$([^$]*)\$([^$]*)$/;

function parseScrypt(user: string, stored: string, at: At, findings: Findings): PasswordEntry | null {
  const fields = SCRYPT.exec(stored);
  if (fields === null) {
    findings.problem(at, `user "${user}": expected scrypt$N$r$p$salt$hash`);
    return null;
  }
  const [cost, blockSize, parallelization] = fields.slice(1, 4).map(Number) as [number, number, number];
  const [salt, hash] = fields.slice(4) as [string, string];
  const refuse = (field: string, value: unknown, limit: string): null => {
    findings.wrongValue(at, `${field} of user "${user}"`, value, limit);
    return null;
  };
  if (cost < 2 || !Number.isInteger(Math.log2(cost))) return refuse('N', cost, 'a power of two above 1');
  if (blockSize < 1 || blockSize > MAX_BLOCK_SIZE) {
    return refuse('r', blockSize, `an integer from 1 to ${MAX_BLOCK_SIZE}`);
  }
  if (blockSize === 1 && cost >= COST_LIMIT_OF_BLOCK_SIZE_1) {
    return refuse('N', cost, `below ${COST_LIMIT_OF_BLOCK_SIZE_1} with r = 1`);
  }
  if (128 * cost * blockSize > MAX_SCRYPT_BYTES) {
    return refuse('128 * N * r', 128 * cost * blockSize, `at most ${MAX_SCRYPT_BYTES} bytes of memory`);
  }
  if (parallelization < 1 || parallelization > MAX_PARALLELIZATION) {
    return refuse('p', parallelization, `an integer from 1 to ${MAX_PARALLELIZATION}`);
  }
  if (!isBase64(salt, SALT_BYTES)) return refuse('salt', '(hidden)', base64Limit(SALT_BYTES));
  if (!isBase64(hash, HASH_BYTES)) return refuse('hash', '(hidden)', base64Limit(HASH_BYTES));
  return { user, cost, blockSize, parallelization, salt, hash };
}

type Range = { readonly min: number; readonly max: number };

const base64Limit = ({ min, max }: Range): string => `base64 of ${min} to ${max} bytes`;

function isBase64(text: string, { min, max }: Range): boolean {
  const length = base64Bytes(text);
  return length !== null && length >= min && length <= max;
}
