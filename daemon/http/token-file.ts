/** The tokens of `HttpTokenFile`, and certificates that stand for one (`certificate NAME`): one a line, with `admin` behind it if it may do more than read; blank lines and comments are ignored. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { matchesText } from '../../engine/access/name-pattern.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { secretModeProblem } from '../secret-mode.ts';
import { MAX_TOKEN_CHARS, MAX_TOKENS, MIN_TOKEN_CHARS } from './http-limits.ts';

const MAX_FILE_BYTES = 16 * 1024;
/** How often the file is looked at, while requests come. */
const LOOK_MS = 1000;

/** `read`: metrics, status, events. `admin`: also what changes the daemon. */
export type TokenRight = 'read' | 'admin';

export interface HttpToken {
  readonly text: string;
  readonly right: TokenRight;
}

/** SHA-256 of each token: of one length, so that a comparison takes the same time whatever was sent. */
type TokenHashes = readonly { readonly hash: Buffer; readonly right: TokenRight }[];

/** A pattern of common names. */
export interface HttpCertificate {
  readonly name: string;
  readonly right: TokenRight;
}

export interface TokenFileEvents {
  /** The file has changed, and is in use from now on. */
  reloaded(tokens: number): void;
  /** The file has changed and cannot be used; what it held before stays in use. */
  refused(reason: string): void;
}

export class TokenFile {
  readonly #path: string;
  readonly #events: TokenFileEvents;
  #hashes: TokenHashes;
  #certificates: readonly HttpCertificate[];
  #seen: string;
  #lookedMs = 0;

  private constructor(path: string, { hashes, certificates, seen }: ReadTokens, events: TokenFileEvents) {
    this.#path = path;
    this.#hashes = hashes;
    this.#certificates = certificates;
    this.#seen = seen;
    this.#events = events;
  }

  /** @throws (rejects) ConfigError when the file cannot be used, and the error of one that cannot be read */
  static async open(path: string, events: TokenFileEvents): Promise<TokenFile> {
    const read = await readTokens(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== undefined) throw error;
      const message = `${path}: ${error.message}`;
      throw new ConfigError([{ message, field: 'httpTokenFile', value: path }], null);
    });
    return new TokenFile(path, read, events);
  }

  /** Reads it as `open` would. @throws (rejects) as `open` */
  static async check(path: string): Promise<void> {
    await TokenFile.open(path, { reloaded: () => {}, refused: () => {} });
  }

  /** @param authorization header of a request; undefined: it has none @returns null: it has no valid token */
  async rightOf(authorization: string | undefined): Promise<TokenRight | null> {
    await this.#look();
    const sent = /^Bearer +([!-~]+) *$/i.exec(authorization ?? '')?.[1];
    const hash = hashOf(sent ?? '');
    let right: TokenRight | null = null;
    for (const token of this.#hashes) right = timingSafeEqual(token.hash, hash) ? token.right : right;
    return sent === undefined ? null : right;
  }

  /** @param commonName of a certificate that was judged good @returns null: it is none of the file */
  async rightOfCertificate(commonName: string): Promise<TokenRight | null> {
    await this.#look();
    const fitting = this.#certificates.filter(({ name }) => matchesText(name, commonName));
    return fitting.find(({ right }) => right === 'admin')?.right ?? fitting[0]?.right ?? null;
  }

  /** Reads the file again when it has changed. */
  async #look(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    const seen = stateOf(statSync(this.#path, { throwIfNoEntry: false }));
    if (seen === this.#seen) return;
    this.#seen = seen;
    try {
      const read = await readTokens(this.#path);
      this.#hashes = read.hashes;
      this.#certificates = read.certificates;
      this.#seen = read.seen;
      this.#events.reloaded(read.hashes.length + read.certificates.length);
    } catch (error) {
      this.#events.refused((error as Error).message);
    }
  }
}

interface ReadTokens {
  readonly hashes: TokenHashes;
  readonly certificates: readonly HttpCertificate[];
  readonly seen: string;
}

async function readTokens(path: string): Promise<ReadTokens> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new Error('it is not a regular file');
  if (stats.size > MAX_FILE_BYTES) throw new Error(`it is ${stats.size} bytes long; the limit is ${MAX_FILE_BYTES}`);
  const problem = secretModeProblem(stats.mode, 'the tokens');
  if (problem !== null) throw new Error(problem);
  const text = await readFile(path, 'latin1');
  return {
    certificates: parseCertificates(text),
    hashes: parseTokens(text).map(({ text, right }) => ({ hash: hashOf(text), right })),
    seen: stateOf(stats),
  };
}

const CERTIFICATE = 'certificate';

/** @throws Error that names the line */
function parseCertificates(text: string): readonly HttpCertificate[] {
  const certificates: HttpCertificate[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const [word, name, right, ...more] = line.trim().split(/[ \t]+/);
    if (word !== CERTIFICATE) continue;
    if (name === undefined || more.length > 0 || (right !== undefined && right !== 'admin'))
      throw new Error(
        `line ${i + 1}: behind "certificate" stands a common name, where * fits any characters; only the word admin may follow it`,
      );
    certificates.push({ name, right: right === undefined ? 'read' : 'admin' });
  }
  if (certificates.length > MAX_TOKENS)
    throw new Error(`it has ${certificates.length} certificates; the limit is ${MAX_TOKENS}`);
  return certificates;
}

/** @throws Error that names the line, never the token */
export function parseTokens(text: string): readonly HttpToken[] {
  const tokens: HttpToken[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const [token = '', right, ...more] = line.trim().split(/[ \t]+/);
    if (token === '' || token.startsWith('#') || token === CERTIFICATE) continue;
    if (!/^[!-~]+$/.test(token) || more.length > 0 || (right !== undefined && right !== 'admin'))
      throw new Error(
        `line ${i + 1}: a token has printable ASCII characters and no blanks; only the word admin may follow it`,
      );
    if (token.length < MIN_TOKEN_CHARS || token.length > MAX_TOKEN_CHARS)
      throw new Error(
        `line ${i + 1}: a token has ${MIN_TOKEN_CHARS} to ${MAX_TOKEN_CHARS} characters, and this one ${token.length}; "openssl rand -hex 32" makes one`,
      );
    tokens.push({ text: token, right: right === undefined ? 'read' : 'admin' });
  }
  if (tokens.length === 0 && parseCertificates(text).length === 0) throw new Error('it has no token');
  if (tokens.length > MAX_TOKENS) throw new Error(`it has ${tokens.length} tokens; the limit is ${MAX_TOKENS}`);
  return tokens;
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token, 'latin1').digest();

const stateOf = (stats: Stats | undefined): string =>
  stats === undefined ? 'missing' : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.mode}`;
