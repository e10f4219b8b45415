/**
 * The daemon's computations of SCRAM-SHA-256 (RFC 5802, section 3): a few HMACs, so they are done at once. Unknown users get a challenge
 * like that of known ones, always the same for one name, and a proof of theirs is checked against keys that nobody has.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { type ScramCost, type ScramEntry, type ScramUsers, scramCosts } from '../../engine/config/scram-file.ts';
import type { ScramChallenge, ScramQuestion } from '../../engine/wire/scram-dialog.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';

const NONCE_BYTES = 18;

interface Keys {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export class ScramCredentials {
  readonly #settings: Live<Pick<DeliverySettings, 'scram'>>;
  readonly #counters: Float64Array;
  #users: ScramUsers | null = null;
  #secret: Buffer = Buffer.alloc(0);
  #costs: readonly ScramCost[] = [];

  constructor(settings: Live<Pick<DeliverySettings, 'scram'>>, counters: Float64Array) {
    this.#settings = settings;
    this.#counters = counters;
  }

  /** What the user has to answer. */
  challenge(user: string): ScramChallenge {
    const { entries } = this.#current();
    // Made for known users too, so that the time is the same.
    const invented = this.#invent(user);
    const entry = entries.get(user);
    const { iterations, salt } = entry ?? invented;
    return { nonce: randomBytes(NONCE_BYTES).toString('base64'), salt, iterations };
  }

  /** @returns the daemon's signature, in base64; null: the proof is wrong, or there is no such user */
  signature({ user, authMessage, proof }: Extract<ScramQuestion, { kind: 'scram-prove' }>): string | null {
    const { entries } = this.#current();
    const nobody = this.#keysOfNobody(user);
    const entry = entries.get(user);
    const { storedKey, serverKey } = entry === undefined ? nobody : keysOf(entry);
    const clientSignature = hmac(storedKey, authMessage);
    const clientKey = Buffer.from(proof, 'base64');
    for (let i = 0; i < clientKey.length; i++) clientKey[i]! ^= clientSignature[i]!;
    const isRight = timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey);
    const signature = hmac(serverKey, authMessage).toString('base64');
    this.#counters[DeliveryCounter.PasswordsChecked]!++;
    if (isRight && entry !== undefined) return signature;
    this.#counters[DeliveryCounter.PasswordsWrong]!++;
    return null;
  }

  #current(): ScramUsers {
    const { scram } = this.#settings.current;
    if (scram !== this.#users) {
      this.#users = scram;
      this.#secret = Buffer.from(scram.secret, 'base64');
      this.#costs = scramCosts(scram.entries.values());
    }
    return scram;
  }

  #invent(user: string): { readonly iterations: number; readonly salt: string } {
    const bytes = Buffer.concat([hmac(this.#secret, `salt 1 ${user}`), hmac(this.#secret, `salt 2 ${user}`)]);
    const choice = hmac(this.#secret, `cost ${user}`)[0]!;
    const { iterations, saltBytes } = this.#costs[choice % this.#costs.length]!;
    return { iterations, salt: bytes.toString('base64', 0, saltBytes) };
  }

  #keysOfNobody(user: string): Keys {
    return {
      storedKey: hmac(this.#secret, `stored key ${user}`),
      serverKey: hmac(this.#secret, `server key ${user}`),
    };
  }
}

const keysOf = ({ storedKey, serverKey }: ScramEntry): Keys => ({
  storedKey: Buffer.from(storedKey, 'base64'),
  serverKey: Buffer.from(serverKey, 'base64'),
});

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text, 'utf8').digest();
