/**
 * The file of the method SCRAM-SHA-256: a line `user:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` for each user, as PostgreSQL keeps
 * them, and a line `*:secret$…` from which salts of unknown users are made. Salt and keys in base64; comments start with `#`. Whoever reads
 * the file can try passwords against it, and pose as the daemon; logging in takes the password.
 */
import { base64Bytes } from '../base64.ts';
import { isScramIterations, SCRAM_ITERATIONS, SCRAM_KEY_BYTES, SCRAM_SALT_BYTES } from '../wire/scram-limits.ts';
import { normalUser, SCRAM_USER_LIMIT } from '../wire/scram-text.ts';
import { type ConfigProblem, Findings } from './config-error.ts';

export interface ScramEntry {
  /** Normalised. */
  readonly user: string;
  readonly iterations: number;
  /** Base64, as the following. */
  readonly salt: string;
  readonly storedKey: string;
  readonly serverKey: string;
}

export interface ScramFile {
  readonly entries: ReadonlyMap<string, ScramEntry>;
  /** Base64; null: the file has no such line. */
  readonly secret: string | null;
  /** Lines that admit nobody because they are wrong. Never contains a key. */
  readonly problems: readonly ConfigProblem[];
}

/** Credentials of users, and what stands in for those of unknown ones. */
export interface ScramUsers {
  readonly entries: ReadonlyMap<string, ScramEntry>;
  /** Base64. Daemons with the same secret invent the same salts. */
  readonly secret: string;
}

export const SCRAM_SECRET_BYTES = 32;
const SECRET_USER = '*';
const KEY_BYTES = { min: SCRAM_KEY_BYTES, max: SCRAM_KEY_BYTES };

export const scramLine = ({ user, iterations, salt, storedKey, serverKey }: ScramEntry): string =>
  `${user}:SCRAM-SHA-256$${iterations}:${salt}$${storedKey}:${serverKey}`;

/** @param secret base64 of `SCRAM_SECRET_BYTES` */
export const scramSecretLine = (secret: string): string => `${SECRET_USER}:secret$${secret}`;

/** Never throws: bad lines are skipped and reported. */
export function parseScramFile(text: string): ScramFile {
  const findings = new Findings();
  const entries = new Map<string, ScramEntry>();
  let secret: string | null = null;
  for (const [i, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const at = { line: i + 1, column: 1 };
    if (content.startsWith(`${SECRET_USER}:`)) {
      const given = content.startsWith(scramSecretLine('')) ? content.slice(scramSecretLine('').length) : '';
      if (secret !== null) findings.problem(at, 'the secret is there twice; the first line counts');
      else if (base64Bytes(given) === SCRAM_SECRET_BYTES) secret = given;
      else findings.wrongValue(at, 'secret', '(hidden)', `"secret$" and base64 of ${SCRAM_SECRET_BYTES} bytes`);
      continue;
    }
    const entry = parseLine(content, at, findings);
    if (entry === null) continue;
    if (entries.has(entry.user)) findings.problem(at, `user "${entry.user}" is listed twice; the first line counts`);
    else entries.set(entry.user, entry);
  }
  return { entries, secret, problems: findings.problems };
}

/** Whose line it is; null: it is a comment, or blank, or the secret, or has no user. */
export function userOfLine(line: string): string | null {
  const content = line.trim();
  const colon = content.indexOf(':');
  if (content.startsWith('#') || colon < 1 || content.startsWith(`${SECRET_USER}:`)) return null;
  return content.slice(0, colon).normalize('NFKC');
}

type At = { readonly line: number; readonly column: number };

function parseLine(content: string, at: At, findings: Findings): ScramEntry | null {
  const colon = content.indexOf(':');
  if (colon < 0) {
    findings.problem(at, `expected user:${FORM}`);
    return null;
  }
  const name = content.slice(0, colon);
  const user = normalUser(name);
  if (user === null) {
    findings.wrongValue(at, 'user', name, SCRAM_USER_LIMIT);
    return null;
  }
  return parseKeys(user, content.slice(colon + 1), at, findings);
}

const FORM = 'SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey';
const KEYS = /^SCRAM-SHA-256\$(\d{1,9}):([^$:]*)\$([^$:]*):([^$:]*)$/;

function parseKeys(user: string, stored: string, at: At, findings: Findings): ScramEntry | null {
  const fields = KEYS.exec(stored);
  if (fields === null) {
    if (stored.startsWith('scrypt$'))
      findings.problem(at, `user "${user}" has a hash of the method PWORD, which belongs into PasswordFile`);
    else findings.problem(at, `user "${user}": expected ${FORM}`);
    return null;
  }
  const [count, salt, storedKey, serverKey] = fields.slice(1) as [string, string, string, string];
  const iterations = Number(count);
  const refuse = (field: string, value: unknown, limit: string): null => {
    findings.wrongValue(at, `${field} of user "${user}"`, value, limit);
    return null;
  };
  if (!isScramIterations(iterations))
    return refuse('iterations', iterations, `an integer from ${SCRAM_ITERATIONS.min} to ${SCRAM_ITERATIONS.max}`);
  if (!isBase64(salt, SCRAM_SALT_BYTES)) return refuse('salt', '(hidden)', base64Limit(SCRAM_SALT_BYTES));
  if (!isBase64(storedKey, KEY_BYTES)) return refuse('StoredKey', '(hidden)', `base64 of ${SCRAM_KEY_BYTES} bytes`);
  if (!isBase64(serverKey, KEY_BYTES)) return refuse('ServerKey', '(hidden)', `base64 of ${SCRAM_KEY_BYTES} bytes`);
  return { user, iterations, salt, storedKey, serverKey };
}

type Range = { readonly min: number; readonly max: number };

const base64Limit = ({ min, max }: Range): string => `base64 of ${min} to ${max} bytes`;

function isBase64(text: string, { min, max }: Range): boolean {
  const length = base64Bytes(text);
  return length !== null && length >= min && length <= max;
}

/** What an answer to a first message tells of its user. Where all users have the same, unknown users cannot be told from them. */
export interface ScramCost {
  readonly iterations: number;
  readonly saltBytes: number;
}

/** What `skein passwd` makes. */
export const DEFAULT_SCRAM_COST: ScramCost = { iterations: 100_000, saltBytes: 16 };

/** The different ones in the file, in an order that does not depend on that of its lines; never empty. */
export function scramCosts(entries: Iterable<ScramEntry>): readonly ScramCost[] {
  const costs = new Map<string, ScramCost>();
  for (const { iterations, salt } of entries) {
    const saltBytes = base64Bytes(salt) ?? 0;
    costs.set(`${iterations} ${saltBytes}`, { iterations, saltBytes });
  }
  if (costs.size === 0) return [DEFAULT_SCRAM_COST];
  return [...costs.values()].sort((a, b) => a.iterations - b.iterations || a.saltBytes - b.saltBytes);
}
