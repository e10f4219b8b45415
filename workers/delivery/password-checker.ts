/**
 * Checks passwords, a few at a time and off this thread: scrypt runs in libuv's thread pool (client-protocol.md, section 1.6).
 *
 * Checks cost a lot by design, so they are what a stranger can use up most cheaply. Those that wait are taken in turns by
 * the client's address, those whose client has hung up are not computed, and what finds no room is answered as busy.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { type LoginCost, loginCosts, sameCost } from '../../engine/config/password-cost.ts';
import { LONGEST_HASH_BYTES, MAX_SCRYPT_BYTES, type PasswordEntry } from '../../engine/config/password-file.ts';
import type { Credentials } from '../../engine/wire/server-handshake.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import { FairQueue } from './fair-queue.ts';
import type { Live } from './live.ts';

/** Checks that run at once in a delivery worker, so that a flood of attempts leaves libuv's pool some threads. */
const CHECKS_AT_ONCE = 2;

export type PasswordVerdict = 'right' | 'wrong' | 'busy';

/** One client's wish. */
export interface PasswordCheck {
  readonly credentials: Credentials;
  /** Checks with the same owner share one turn; see `shareKey`. */
  readonly owner: string;
  /** Called once, unless the check is cancelled before; with `busy` perhaps at once. */
  readonly answer: (verdict: PasswordVerdict) => void;
}

/** `scrypt` of node:crypto, or a stand-in of a test. */
export type Derive = (
  password: string,
  salt: Buffer,
  lengthBytes: number,
  options: { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
  done: (error: Error | null, key: Buffer) => void,
) => void;

interface Secret {
  readonly cost: LoginCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** A password file, ready to be checked against. */
interface Secrets {
  readonly entries: ReadonlyMap<string, PasswordEntry>;
  readonly costs: readonly LoginCost[];
  readonly byUser: ReadonlyMap<string, Secret>;
}

/** Of this worker. `maxWaitingPasswords`: checks that may wait beside those that run. */
export type PasswordSettings = Pick<DeliverySettings, 'passwords' | 'maxWaitingPasswords'>;

export class PasswordChecker {
  readonly #settings: Live<PasswordSettings>;
  #secrets: Secrets;
  readonly #counters: Float64Array;
  readonly #derive: Derive;
  /** Checks of clients that would be noticed to hang up. */
  readonly #watched = new FairQueue<PasswordCheck>();
  /** Checks of clients that are not read because they sent too much ahead. Whether they are still there is unknown. */
  readonly #unwatched = new FairQueue<PasswordCheck>();
  readonly #running = new Set<PasswordCheck>();
  #slotsTaken = 0;

  constructor(settings: Live<PasswordSettings>, counters: Float64Array, derive: Derive = scrypt) {
    this.#settings = settings;
    this.#secrets = secretsOf(settings.current.passwords);
    this.#counters = counters;
    this.#derive = derive;
  }

  check(check: PasswordCheck): void {
    if (this.#slotsTaken >= CHECKS_AT_ONCE && this.#waiting() >= this.#settings.current.maxWaitingPasswords) {
      const displaced = this.#unwatched.displace('') ?? this.#watched.displace(check.owner);
      this.#counters[DeliveryCounter.PasswordsBusy]!++;
      if (displaced === undefined) {
        check.answer('busy');
        return;
      }
      this.#watched.add(check.owner, check);
      displaced.answer('busy');
    } else this.#watched.add(check.owner, check);
    this.#runNext();
  }

  /** The client is not read any more, so a hang-up goes unnoticed. Others go first. */
  unwatch(check: PasswordCheck): void {
    if (this.#watched.remove(check.owner, check)) this.#unwatched.add(check.owner, check);
  }

  /** The client has hung up, or was answered otherwise. */
  cancel(check: PasswordCheck): void {
    const waited = this.#watched.remove(check.owner, check) || this.#unwatched.remove(check.owner, check);
    if (waited) this.#counters[DeliveryCounter.PasswordsSkipped]!++;
    this.#running.delete(check);
    this.#publish();
  }

  #waiting(): number {
    return this.#watched.size + this.#unwatched.size;
  }

  #runNext(): void {
    while (this.#slotsTaken < CHECKS_AT_ONCE) {
      const next = this.#watched.take() ?? this.#unwatched.take();
      if (next === undefined) break;
      this.#slotsTaken++;
      this.#running.add(next);
      this.#counters[DeliveryCounter.PasswordsChecked]!++;
      this.#compute(next, this.#currentSecrets(), 0, false);
    }
    this.#publish();
  }

  /**
   * Every login computes one hash of every cost that the file has, in one order, for any user: the time must not reveal whether
   * the user exists, nor how its password is kept.
   */
  #compute(check: PasswordCheck, secrets: Secrets, at: number, isRight: boolean): void {
    const cost = secrets.costs[at];
    if (cost === undefined || !this.#running.has(check)) {
      this.#finish(check, isRight);
      return;
    }
    const secret = secrets.byUser.get(check.credentials.user);
    const own = secret?.cost === cost ? secret : undefined;
    const salt = own?.salt ?? Buffer.alloc(cost.saltBytes);
    const options = { N: cost.cost, r: cost.blockSize, p: cost.parallelization, maxmem: 2 * MAX_SCRYPT_BYTES };
    const done = (error: Error | null, key: Buffer | null): void => {
      if (error !== null) this.#counters[DeliveryCounter.PasswordsFailed]!++;
      const matches = own !== undefined && key !== null && timingSafeEqual(key.subarray(0, own.hash.length), own.hash);
      this.#compute(check, secrets, at + 1, isRight || matches);
    };
    try {
      // A key begins with every shorter one, so all are derived at one length.
      this.#derive(check.credentials.password, salt, LONGEST_HASH_BYTES, options, (error, key) =>
        done(error, error === null ? key : null),
      );
    } catch (error) {
      done(error as Error, null);
    }
  }

  #finish(check: PasswordCheck, isRight: boolean): void {
    this.#slotsTaken--;
    const isAwaited = this.#running.delete(check);
    if (isAwaited && !isRight) this.#counters[DeliveryCounter.PasswordsWrong]!++;
    if (isAwaited) check.answer(isRight ? 'right' : 'wrong');
    this.#runNext();
  }

  /** A running check keeps the passwords that it began with. */
  #currentSecrets(): Secrets {
    const { passwords } = this.#settings.current;
    if (passwords !== this.#secrets.entries) this.#secrets = secretsOf(passwords);
    return this.#secrets;
  }

  #publish(): void {
    this.#counters[DeliveryCounter.PasswordsWaiting] = this.#waiting();
    this.#counters[DeliveryCounter.PasswordsRunning] = this.#slotsTaken;
  }
}

function secretsOf(entries: ReadonlyMap<string, PasswordEntry>): Secrets {
  const costs = loginCosts(entries.values());
  const byUser = new Map(
    [...entries].map(([user, entry]) => [
      user,
      {
        cost: costs.find((cost) => sameCost(cost, entry))!,
        salt: Buffer.from(entry.salt, 'base64'),
        hash: Buffer.from(entry.hash, 'base64'),
      },
    ]),
  );
  return { entries, costs, byUser };
}
