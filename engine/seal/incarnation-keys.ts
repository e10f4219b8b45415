/** The keys of one incarnation that are in use, derived once each. */
import type { SealCipher, SealIdentity } from './seal-cipher.ts';

/** Keys of the cluster, each with the incarnation's last, present and next one; then all are derived anew. */
const MAX_KEPT = 12;
const KEY_IDS = 256;

export class IncarnationKeys {
  readonly #kept = new Map<number, Uint8Array>();

  get(cipher: SealCipher, identity: SealIdentity, keyId: number, epoch: number): Uint8Array {
    const place = epoch * KEY_IDS + keyId;
    const kept = this.#kept.get(place);
    if (kept !== undefined) return kept;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const key = cipher.incarnationKey(keyId, identity, epoch);
    this.#kept.set(place, key);
    return key;
  }

  /** The cluster's keys have changed. */
  forget(): void {
    this.#kept.clear();
  }
}
