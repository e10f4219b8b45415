/**
 * The key file of a cluster (ring-protocol.md, 8.3): lines `id:key`, id 0 to 255, key 32 bytes in base64; comments start with `#`. The first
 * line seals; all lines open, so a key is changed by adding the new one behind, then in front, then taking the old one away, with a
 * reload of every daemon after each step.
 */
import { Findings } from './config-error.ts';

export interface ClusterKey {
  readonly id: number;
  /** 32 bytes, base64. */
  readonly key: string;
}

/** Valid at once; more would only keep old ones alive. */
export const MAX_CLUSTER_KEYS = 4;
export const MAX_KEY_ID = 255;
/** Of the whole file. */
export const MAX_KEY_FILE_BYTES = 16_384;
const LINE = /^(0|[1-9]\d{0,2}):([A-Za-z0-9+/]{43}=)$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/**
 * 32 random bytes are about 30 different ones; fewer than this are met once in 10^16 keys. A key typed by hand, or made of a
 * repeated word, has fewer.
 */
const MIN_DIFFERENT_BYTES = 16;

/**
 * @param name of the file, for errors
 * @throws ConfigError when a line is wrong or there is no key: a daemon must not run unsealed by accident
 */
export function parseClusterKeys(text: string, name: string): readonly ClusterKey[] {
  const findings = new Findings();
  const keys: ClusterKey[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const match = LINE.exec(content);
    const key: ClusterKey = { id: Number(match?.[1]), key: match?.[2] ?? '' };
    const problem = match === null || key.id > MAX_KEY_ID ? WRONG_LINE : keyProblem(key, keys);
    if (problem === null) keys.push(key);
    else findings.problem({ line: i + 1, column: 1 }, problem);
  }
  if (keys.length === 0 && findings.problems.length === 0) findings.problem(null, `${name} holds no key`);
  if (keys.length > MAX_CLUSTER_KEYS)
    findings.problem(null, `${name} holds ${keys.length} keys; the limit is ${MAX_CLUSTER_KEYS}`);
  // Without the text: an excerpt of it would print a key.
  findings.throwIfAny({ name, text: '' });
  return keys;
}

const WRONG_LINE = `a line is ID:KEY, ID 0 to ${MAX_KEY_ID} without leading zeros, KEY 32 bytes in base64 (44 characters)`;

/** Never contains a key. */
function keyProblem({ id, key }: ClusterKey, earlier: readonly ClusterKey[]): string | null {
  if (earlier.some((other) => other.id === id)) return `key ${id} is listed twice`;
  const same = earlier.find((other) => other.key === key);
  if (same !== undefined) return `key ${id} is the same as key ${same.id}; make a new one with "skein keygen"`;
  const bytes = decode(key);
  // Else there would be several ways to write one key.
  if (bytes === null) return `key ${id} is not base64 of 32 bytes: its last character before "=" has excess bits`;
  const different = new Set(bytes).size;
  if (different < MIN_DIFFERENT_BYTES)
    return `key ${id} is not random: its 32 bytes have only ${different} different values, fewer than ${MIN_DIFFERENT_BYTES}; make one with "skein keygen"`;
  return null;
}

/** Null when bits are left over that are not 0. @param key 43 characters of the alphabet and `=` */
function decode(key: string): readonly number[] | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of key.slice(0, -1)) {
    held = (held << 6) | ALPHABET.indexOf(character);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(held >>> bits);
    held &= (1 << bits) - 1;
  }
  return held === 0 ? bytes : null;
}
