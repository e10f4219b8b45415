/** The seal of a daemon with a cluster key: the engine's rules with Node's cryptography and randomness (ring-protocol.md, 8.3). */

import { randomBytes } from 'node:crypto';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { KeyedSealer, type KeyedSealerOptions } from '../../engine/seal/keyed-sealer.ts';
import type { DrawBytes } from '../../engine/seal/seal-cipher.ts';
import { SEAL_REFUSALS, SealRefusal } from '../../engine/seal/seal-trailer.ts';
import { RING_HEADER_LENGTH, RING_HEADER_TRANSMITTER_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { readU16 } from '../../engine/wire/ring-bytes.ts';
import { AeadCipher } from './aead-cipher.ts';

export interface AeadSealerOptions extends KeyedSealerOptions {
  readonly clusterHash: Uint8Array;
}

/** What was refused. Index of both arrays: `SealRefusal` less one. */
export interface SealRefusals {
  readonly total: number;
  readonly byCause: Float64Array;
  /** Node index that the last one named as its transmitter. */
  readonly lastFrom: Float64Array;
}

export class AeadSealer extends KeyedSealer implements SealRefusals {
  readonly byCause = new Float64Array(SEAL_REFUSALS);
  readonly lastFrom = new Float64Array(SEAL_REFUSALS).fill(NOBODY);
  readonly #cipher: AeadCipher;
  #total = 0;

  /** @param draw not of a daemon: what else to draw salts and questions from */
  constructor(keys: readonly ClusterKey[], options: AeadSealerOptions, draw: DrawBytes = randomBytes) {
    const cipher = new AeadCipher(keys, options.clusterHash);
    super(options, cipher, draw);
    this.#cipher = cipher;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * Replaces the cluster's keys; the first one seals from then on.
   * @returns does it, which cannot fail @throws when a key cannot be used
   */
  prepareKeys(keys: readonly ClusterKey[]): () => void {
    const apply = this.#cipher.prepareKeys(keys);
    return () => this.keysChanged(apply());
  }

  override open(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const opened = super.open(bytes, offset, lengthBytes);
    if (opened >= 0) return opened;
    this.#total++;
    this.byCause[-opened - 1]!++;
    const names = -opened !== SealRefusal.Short && lengthBytes >= RING_HEADER_LENGTH;
    this.lastFrom[-opened - 1] = names ? readU16(bytes, offset + RING_HEADER_TRANSMITTER_OFFSET) : NOBODY;
    return opened;
  }
}

/** No node has this index. */
const NOBODY = 0xffff;
