/** Checks clients: by address against the access file, by password against scrypt hashes (client-protocol.md, section 1.6). */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { type AccessList, isAddressAllowed } from '../../engine/config/access-ip.ts';
import type { PasswordEntry } from '../../engine/config/password-file.ts';
import type { Credentials } from '../../engine/wire/handshake.ts';

/** Checks at most this many passwords at once, so that a flood of attempts leaves libuv's pool some threads. */
const MAX_CHECKS_AT_ONCE = 2;
/** Attempts that may wait; more are refused at once. */
const MAX_WAITING = 256;
const SCRYPT_MAX_MEMORY = 256 * 1024 * 1024;

type Answer = (success: boolean) => void;

export class Authenticator {
  readonly #access: AccessList;
  readonly #passwords: ReadonlyMap<string, PasswordEntry>;
  readonly #waiting: { readonly credentials: Credentials; readonly answer: Answer }[] = [];
  #running = 0;

  constructor(access: AccessList, passwords: ReadonlyMap<string, PasswordEntry>) {
    this.#access = access;
    this.#passwords = passwords;
  }

  /** @param remoteAddress as Node gives it; undefined for a unix-socket client */
  isAddressAllowed(remoteAddress: string | undefined): boolean {
    return isAddressAllowed(this.#access, remoteAddress ?? null);
  }

  /** Answers later, off this thread's hot path: scrypt runs in libuv's thread pool. */
  checkPassword(credentials: Credentials, answer: Answer): void {
    if (this.#waiting.length >= MAX_WAITING) answer(false);
    else {
      this.#waiting.push({ credentials, answer });
      this.#runNext();
    }
  }

  #runNext(): void {
    if (this.#running >= MAX_CHECKS_AT_ONCE) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#running++;
    const { user, password } = next.credentials;
    // An unknown user costs as much time as a wrong password: the time must not tell which it was.
    const entry = this.#passwords.get(user) ?? UNKNOWN_USER;
    const options = {
      N: entry.cost,
      r: entry.blockSize,
      p: entry.parallelization,
      maxmem: SCRYPT_MAX_MEMORY,
    };
    const hash = Buffer.from(entry.hash, 'base64');
    scrypt(password, Buffer.from(entry.salt, 'base64'), hash.length, options, (error, key) => {
      this.#running--;
      next.answer(error === null && entry !== UNKNOWN_USER && timingSafeEqual(key, hash));
      this.#runNext();
    });
  }
}

const UNKNOWN_USER: PasswordEntry = {
  user: '',
  cost: 16_384,
  blockSize: 8,
  parallelization: 1,
  salt: Buffer.alloc(16).toString('base64'),
  hash: Buffer.alloc(32).toString('base64'),
};
