/**
 * Authenticated encryption of datagrams between daemons: AES-256-GCM, the 40-byte header as associated data, the rest encrypted in place
 * (ring-protocol.md, 8.3).
 *
 *     trailer: key id u8 | reserved u8 | counter u48, little-endian | tag 16
 *
 * Each transmitter has a key of its own, derived from the cluster's key, its node index and its incarnation. Its packet counter is the
 * nonce: it never repeats under one key, because no two runs of a daemon share an incarnation. A window of counters for each
 * transmitter stops replays. Any holder of the cluster's key can still speak for any daemon: this keeps outsiders out.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { RING_HEADER_LENGTH } from '../../engine/wire/ring-header.ts';
import type { DatagramSealer } from '../../engine/wire/ring-sealer.ts';
import { ReplayWindow } from './replay-window.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const COUNTER_BYTES = 6;
const AT_COUNTER = 2;
const AT_TAG = 8;
const TRAILER_BYTES = AT_TAG + TAG_BYTES;
const AT_TRANSMITTER = 12;
const AT_INCARNATION = 16;
const INFO = 'skein ring datagram 1';

/** A transmitter as this daemon knows it. */
interface Transmitter {
  readonly incarnation: number;
  /** By key id. */
  readonly keys: Map<number, Buffer>;
  readonly window: ReplayWindow;
}

export class AeadSealer implements DatagramSealer {
  readonly trailerBytes = TRAILER_BYTES;
  /** Datagrams refused: unknown key, wrong tag, replay. */
  refused = 0;
  #sealingId = 0;
  #clusterKeys: ReadonlyMap<number, Buffer> = new Map();
  #ownKey: Buffer | null = null;
  #counter = 0;
  readonly #transmitters = new Map<number, Transmitter>();
  readonly #nonce = Buffer.alloc(NONCE_BYTES);

  constructor(keys: readonly ClusterKey[]) {
    this.setKeys(keys);
  }

  /** Replaces the cluster's keys; the first one seals from here on. Counters go on, so that no nonce is used twice. */
  setKeys(keys: readonly ClusterKey[]): void {
    this.#clusterKeys = new Map(keys.map(({ id, key }) => [id, Buffer.from(key, 'base64')]));
    this.#sealingId = keys[0]!.id;
    this.#ownKey = null;
    for (const transmitter of this.#transmitters.values()) transmitter.keys.clear();
  }

  seal(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const datagram = Buffer.from(bytes.buffer, bytes.byteOffset + offset, lengthBytes + TRAILER_BYTES);
    this.#ownKey ??= this.#derive(this.#clusterKeys.get(this.#sealingId)!, datagram);
    const trailer = lengthBytes;
    datagram[trailer] = this.#sealingId;
    datagram[trailer + 1] = 0;
    datagram.writeUIntLE(++this.#counter, trailer + AT_COUNTER, COUNTER_BYTES);
    const cipher = createCipheriv(CIPHER, this.#ownKey, this.#nonceOf(this.#counter));
    cipher.setAAD(datagram.subarray(0, RING_HEADER_LENGTH));
    cipher.update(datagram.subarray(RING_HEADER_LENGTH, lengthBytes)).copy(datagram, RING_HEADER_LENGTH);
    cipher.final();
    cipher.getAuthTag().copy(datagram, trailer + AT_TAG);
    return lengthBytes + TRAILER_BYTES;
  }

  open(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const length = lengthBytes - TRAILER_BYTES;
    if (length < RING_HEADER_LENGTH) return this.#refuse();
    const datagram = Buffer.from(bytes.buffer, bytes.byteOffset + offset, lengthBytes);
    const clusterKey = this.#clusterKeys.get(datagram[length]!);
    if (clusterKey === undefined) return this.#refuse();
    const counter = datagram.readUIntLE(length + AT_COUNTER, COUNTER_BYTES);
    const incarnation = datagram.readUIntLE(AT_INCARNATION, COUNTER_BYTES);
    const node = datagram.readUInt16LE(AT_TRANSMITTER);
    const known = this.#transmitters.get(node);
    const same = known?.incarnation === incarnation ? known : undefined;
    if (same !== undefined && !same.window.isFresh(counter)) return this.#refuse();
    const key = same?.keys.get(datagram[length]!) ?? this.#derive(clusterKey, datagram);
    if (!this.#decrypt(datagram, length, key, counter)) return this.#refuse();
    // Remembered only now: a forged header must not displace what is known of the true transmitter.
    const transmitter = same ?? this.#remember(node, incarnation, known);
    transmitter.keys.set(datagram[length]!, key);
    transmitter.window.accept(counter);
    return length;
  }

  /** An authentic datagram of an earlier run is opened (the ring knows what to do with it) but does not displace the later run. */
  #remember(node: number, incarnation: number, known: Transmitter | undefined): Transmitter {
    const transmitter = { incarnation, keys: new Map<number, Buffer>(), window: new ReplayWindow() };
    if (known === undefined || incarnation > known.incarnation) this.#transmitters.set(node, transmitter);
    return transmitter;
  }

  #decrypt(datagram: Buffer, length: number, key: Buffer, counter: number): boolean {
    const decipher = createDecipheriv(CIPHER, key, this.#nonceOf(counter));
    decipher.setAAD(datagram.subarray(0, RING_HEADER_LENGTH));
    decipher.setAuthTag(datagram.subarray(length + AT_TAG, length + TRAILER_BYTES));
    const plain = decipher.update(datagram.subarray(RING_HEADER_LENGTH, length));
    try {
      decipher.final();
    } catch {
      return false;
    }
    plain.copy(datagram, RING_HEADER_LENGTH);
    return true;
  }

  /** The key of the transmitter named in the datagram's header. */
  #derive(clusterKey: Buffer, datagram: Buffer): Buffer {
    const salt = Buffer.concat([
      datagram.subarray(AT_TRANSMITTER, AT_TRANSMITTER + 2),
      datagram.subarray(AT_INCARNATION, AT_INCARNATION + COUNTER_BYTES),
    ]);
    return Buffer.from(hkdfSync('sha256', clusterKey, salt, INFO, KEY_BYTES));
  }

  #nonceOf(counter: number): Buffer {
    this.#nonce.writeUIntLE(counter, 0, COUNTER_BYTES);
    return this.#nonce;
  }

  #refuse(): number {
    this.refused++;
    return -1;
  }
}
