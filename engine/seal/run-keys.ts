/** The keys of one run that are in use, derived once each. */
import type { RunIdentity, SealCipher } from './seal-cipher.ts';

/** Keys of the cluster, each with the run's last, present and next one; then all are derived anew. */
const MAX_KEPT = 12;
const KEY_IDS = 256;

export class RunKeys {
  readonly #kept = new Map<number, Uint8Array>();

  get(cipher: SealCipher, run: RunIdentity, keyId: number, epoch: number): Uint8Array {
    const place = epoch * KEY_IDS + keyId;
    const kept = this.#kept.get(place);
    if (kept !== undefined) return kept;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const key = cipher.runKey(keyId, run, epoch);
    this.#kept.set(place, key);
    return key;
  }

  /** The cluster's keys are others now. */
  forget(): void {
    this.#kept.clear();
  }
}
