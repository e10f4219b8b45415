/**
 * The cryptography of sealed datagrams, by Node's own: AES-256-GCM for what is encrypted, HMAC-SHA256 for greetings, HKDF-SHA256 for all
 * keys. Header and trailer up to the tag are the associated data; the nonce is the incarnation's counter (engine/seal/keyed-sealer.ts).
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import type { SealCipher, SealIdentity } from '../../engine/seal/seal-cipher.ts';
import {
  KEY_INFO_EPOCH_OFFSET,
  KEY_INFO_INCARNATION_OFFSET,
  KEY_INFO_LENGTH,
  KEY_INFO_NODE_OFFSET,
} from '../../engine/wire/layout/key-info.ts';
import { RING_HEADER_LENGTH } from '../../engine/wire/layout/ring-header.ts';
import { SEAL_NONCE_COUNTER_OFFSET, SEAL_NONCE_LENGTH } from '../../engine/wire/layout/seal-nonce.ts';
import { SEAL_TRAILER_LENGTH, SEAL_TRAILER_TAG_OFFSET } from '../../engine/wire/layout/seal-trailer.ts';
import { writeU16, writeU32, writeU48 } from '../../engine/wire/ring-bytes.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const TAG_BYTES = SEAL_TRAILER_LENGTH - SEAL_TRAILER_TAG_OFFSET;
/** Keys for different things never agree. */
const DATAGRAM_LABEL = 'skein ring datagram 2';
const GREETING_LABEL = 'skein ring greeting 1';

interface Keys {
  readonly cluster: Buffer;
  readonly greeting: Buffer;
}

export class AeadCipher implements SealCipher {
  readonly #clusterHash: Uint8Array;
  #keys: ReadonlyMap<number, Keys> = new Map();
  #sealingId = 0;
  readonly #nonce = Buffer.alloc(SEAL_NONCE_LENGTH);
  readonly #associated = Buffer.alloc(RING_HEADER_LENGTH + SEAL_TRAILER_TAG_OFFSET);

  /** @param clusterHash identity of the cluster and its configuration: daemons of another one derive other keys */
  constructor(keys: readonly ClusterKey[], clusterHash: Uint8Array) {
    this.#clusterHash = clusterHash;
    this.prepareKeys(keys)();
  }

  /**
   * The first key seals, all open.
   * @returns puts them in force, which cannot fail, and tells whether a key is gone, or is another one under its id
   * @throws RangeError without keys
   */
  prepareKeys(keys: readonly ClusterKey[]): () => boolean {
    const [sealing] = keys;
    if (sealing === undefined) throw new RangeError('there is no cluster key');
    const next = new Map(keys.map(({ id, key }) => [id, this.#keysOf(Buffer.from(key, 'base64'))]));
    return () => {
      const before = this.#keys;
      this.#keys = next;
      this.#sealingId = sealing.id;
      return [...before].some(([id, { cluster }]) => next.get(id)?.cluster.equals(cluster) !== true);
    };
  }

  get sealingId(): number {
    return this.#sealingId;
  }

  hasKey(keyId: number): boolean {
    return this.#keys.has(keyId);
  }

  incarnationKey(keyId: number, { node, incarnation, salt }: SealIdentity, epoch: number): Uint8Array {
    const who = new Uint8Array(KEY_INFO_LENGTH);
    writeU32(who, KEY_INFO_EPOCH_OFFSET, epoch);
    writeU48(who, KEY_INFO_INCARNATION_OFFSET, incarnation);
    writeU16(who, KEY_INFO_NODE_OFFSET, node);
    const info = Buffer.concat([Buffer.from(DATAGRAM_LABEL), this.#clusterHash, who]);
    return Buffer.from(hkdfSync('sha256', this.#keys.get(keyId)!.cluster, salt, info, KEY_BYTES));
  }

  encrypt(key: Uint8Array, counter: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const cipher = createCipheriv(CIPHER, key, this.#nonceOf(counter));
    cipher.setAAD(this.#associatedData(bytes, offset, lengthBytes));
    const body = offset + RING_HEADER_LENGTH;
    bytes.set(cipher.update(bytes.subarray(body, offset + lengthBytes)), body);
    cipher.final();
    bytes.set(cipher.getAuthTag(), offset + lengthBytes + SEAL_TRAILER_TAG_OFFSET);
  }

  decrypt(key: Uint8Array, counter: number, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
    const decipher = createDecipheriv(CIPHER, key, this.#nonceOf(counter));
    decipher.setAAD(this.#associatedData(bytes, offset, lengthBytes));
    const tag = offset + lengthBytes + SEAL_TRAILER_TAG_OFFSET;
    decipher.setAuthTag(bytes.subarray(tag, tag + TAG_BYTES));
    const body = offset + RING_HEADER_LENGTH;
    const plain = decipher.update(bytes.subarray(body, offset + lengthBytes));
    try {
      decipher.final();
    } catch {
      return false;
    }
    bytes.set(plain, body);
    return true;
  }

  sign(keyId: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    bytes.set(this.#mac(keyId, bytes, offset, lengthBytes), offset + lengthBytes + SEAL_TRAILER_TAG_OFFSET);
  }

  verify(keyId: number, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
    const tag = offset + lengthBytes + SEAL_TRAILER_TAG_OFFSET;
    return timingSafeEqual(bytes.subarray(tag, tag + TAG_BYTES), this.#mac(keyId, bytes, offset, lengthBytes));
  }

  #mac(keyId: number, bytes: Uint8Array, offset: number, lengthBytes: number): Uint8Array {
    const mac = createHmac('sha256', this.#keys.get(keyId)!.greeting);
    return mac
      .update(bytes.subarray(offset, offset + lengthBytes + SEAL_TRAILER_TAG_OFFSET))
      .digest()
      .subarray(0, TAG_BYTES);
  }

  #keysOf(cluster: Buffer): Keys {
    const info = Buffer.concat([Buffer.from(GREETING_LABEL), this.#clusterHash]);
    return { cluster, greeting: Buffer.from(hkdfSync('sha256', cluster, new Uint8Array(0), info, KEY_BYTES)) };
  }

  /** One buffer is reused for each: the cipher has read it before the next call. */
  #associatedData(bytes: Uint8Array, offset: number, lengthBytes: number): Buffer {
    const associated = this.#associated;
    for (let i = 0; i < RING_HEADER_LENGTH; i++) associated[i] = bytes[offset + i]!;
    const trailer = offset + lengthBytes;
    for (let i = 0; i < SEAL_TRAILER_TAG_OFFSET; i++) associated[RING_HEADER_LENGTH + i] = bytes[trailer + i]!;
    return associated;
  }

  #nonceOf(counter: number): Buffer {
    writeU48(this.#nonce, SEAL_NONCE_COUNTER_OFFSET, counter);
    return this.#nonce;
  }
}
