/**
 * The seal of datagrams between daemons (ring-protocol.md, 8.3): header authenticated, body encrypted in place, each incarnation of a
 * daemon with keys of its own. An incarnation's keys come from the cluster's key and a salt that the incarnation draws when it starts, so
 * no two incarnations share one, whatever clock and state files say; the incarnation's counter is the nonce and never turns back. Only
 * datagrams of incarnations that are proven to be live are opened (peer-incarnations.ts), each at most once, and only by the daemon they
 * are addressed to.
 *
 * Any holder of the cluster's key can still act as any daemon: this keeps outsiders out.
 *
 * A refusal costs a look at a few bytes or, for a proven incarnation and an unseen counter, one failed decryption.
 */
import {
  RING_HEADER_INCARNATION_OFFSET,
  RING_HEADER_LENGTH,
  RING_HEADER_TRANSMITTER_OFFSET,
  RING_HEADER_TYPE_OFFSET,
} from '../wire/layout/ring-header.ts';
import {
  SEAL_TRAILER_COUNTER_OFFSET,
  SEAL_TRAILER_KEY_ID_OFFSET,
  SEAL_TRAILER_LENGTH,
  SEAL_TRAILER_MARK_OFFSET,
  SEAL_TRAILER_RESERVED_OFFSET,
  SEAL_TRAILER_TO_OFFSET,
} from '../wire/layout/seal-trailer.ts';
import { readU16, readU48, writeU16, writeU48 } from '../wire/ring-bytes.ts';
import { PacketType } from '../wire/ring-header.ts';
import type { DatagramSealer } from './datagram-sealer.ts';
import { IncarnationKeys } from './incarnation-keys.ts';
import { PeerIncarnations } from './peer-incarnations.ts';
import type { DrawBytes, SealCipher, SealIdentity } from './seal-cipher.ts';
import { epochOf, FOR_ANY, LAST_COUNTER, SALT_LENGTH, SALT_MARK_LENGTH, SealRefusal } from './seal-trailer.ts';
import type { SealedIncarnations } from './sealed-incarnations.ts';

export interface KeyedSealerOptions {
  readonly self: number;
  readonly nodeCount: number;
  readonly incarnation: number;
}

export class KeyedSealer implements DatagramSealer, SealedIncarnations {
  readonly trailerBytes = SEAL_TRAILER_LENGTH;
  readonly incarnations: SealedIncarnations = this;
  readonly peers: PeerIncarnations;
  readonly #options: KeyedSealerOptions;
  readonly #cipher: SealCipher;
  readonly #draw: DrawBytes;
  readonly #keys = new IncarnationKeys();
  #own: SealIdentity;
  #counter = 0;

  constructor(options: KeyedSealerOptions, cipher: SealCipher, draw: DrawBytes) {
    this.#options = options;
    this.#cipher = cipher;
    this.#draw = draw;
    this.peers = new PeerIncarnations(options.nodeCount);
    this.#own = this.#newIncarnation();
  }

  get salt(): Uint8Array {
    return this.#own.salt;
  }

  get counter(): number {
    return this.#counter;
  }

  draw(lengthBytes: number): Uint8Array {
    return this.#draw(lengthBytes);
  }

  /**
   * The keys of the cipher have changed. Counters continue, so that no nonce is used twice. @param isOneGone or another one under its id
   */
  keysChanged(isOneGone: boolean): void {
    this.#keys.forget();
    this.peers.keysChanged(isOneGone);
  }

  /** Continues with `counter`. For tests, which cannot send 2^48 datagrams. */
  skipTo(counter: number): void {
    this.#counter = Math.max(this.#counter, counter);
  }

  seal(bytes: Uint8Array, offset: number, lengthBytes: number, to: number): number {
    const cipher = this.#cipher;
    const trailer = offset + lengthBytes;
    const isGreeting = bytes[offset + RING_HEADER_TYPE_OFFSET] === PacketType.Greeting;
    if (!isGreeting) this.#count();
    bytes[trailer + SEAL_TRAILER_KEY_ID_OFFSET] = cipher.sealingId;
    bytes[trailer + SEAL_TRAILER_RESERVED_OFFSET] = 0;
    writeU16(bytes, trailer + SEAL_TRAILER_TO_OFFSET, to);
    const { salt } = this.#own;
    for (let i = 0; i < SALT_MARK_LENGTH; i++) bytes[trailer + SEAL_TRAILER_MARK_OFFSET + i] = salt[i]!;
    writeU48(bytes, trailer + SEAL_TRAILER_COUNTER_OFFSET, isGreeting ? 0 : this.#counter);
    if (isGreeting) cipher.sign(cipher.sealingId, bytes, offset, lengthBytes);
    else {
      const key = this.#keys.get(cipher, this.#own, cipher.sealingId, epochOf(this.#counter));
      cipher.encrypt(key, this.#counter, bytes, offset, lengthBytes);
    }
    return lengthBytes + SEAL_TRAILER_LENGTH;
  }

  open(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const length = lengthBytes - SEAL_TRAILER_LENGTH;
    const trailer = offset + length;
    if (length < RING_HEADER_LENGTH || bytes[trailer + SEAL_TRAILER_RESERVED_OFFSET] !== 0) return -SealRefusal.Short;
    const keyId = bytes[trailer + SEAL_TRAILER_KEY_ID_OFFSET]!;
    const node = readU16(bytes, offset + RING_HEADER_TRANSMITTER_OFFSET);
    const { self, nodeCount } = this.#options;
    if (node >= nodeCount || !this.#cipher.hasKey(keyId)) return -SealRefusal.WrongKey;
    const to = readU16(bytes, trailer + SEAL_TRAILER_TO_OFFSET);
    if (node === self || (to !== self && to !== FOR_ANY)) return -SealRefusal.Misdirected;
    if (bytes[offset + RING_HEADER_TYPE_OFFSET] === PacketType.Greeting) {
      if (to !== self) return -SealRefusal.Misdirected;
      return this.#cipher.verify(keyId, bytes, offset, length) ? length : -SealRefusal.WrongKey;
    }
    const peer = this.peers.find(node, bytes, trailer + SEAL_TRAILER_MARK_OFFSET);
    if (peer === null || !peer.isProven) return -SealRefusal.UnknownIncarnation;
    const counter = readU48(bytes, trailer + SEAL_TRAILER_COUNTER_OFFSET);
    if (!peer.window.isFresh(counter)) return -SealRefusal.Replayed;
    // Strangers must not cause the derivation of keys that far ahead. An incarnation unheard for so long proves itself again.
    if (epochOf(counter) > epochOf(peer.window.highest) + 1) return -SealRefusal.UnknownIncarnation;
    if (readU48(bytes, offset + RING_HEADER_INCARNATION_OFFSET) !== peer.incarnation) return -SealRefusal.WrongKey;
    const key = peer.keys.get(this.#cipher, peer, keyId, epochOf(counter));
    if (!this.#cipher.decrypt(key, counter, bytes, offset, length)) return -SealRefusal.WrongKey;
    peer.window.accept(counter);
    return length;
  }

  /** When all counters are used up, this is a new incarnation to the others. */
  #count(): void {
    if (this.#counter >= LAST_COUNTER) {
      this.#own = this.#newIncarnation();
      this.#keys.forget();
      this.#counter = 0;
    }
    this.#counter++;
  }

  #newIncarnation(): SealIdentity {
    const { self, incarnation } = this.#options;
    return { node: self, incarnation, salt: this.#draw(SALT_LENGTH) };
  }
}
