/**
 * The seal of datagrams between daemons (ring-protocol.md, 8.3): header authenticated, body encrypted in place, each run of a daemon with
 * keys of its own. A run's keys come from the cluster's key and a salt that the run draws when it starts, so no two runs share one, whatever
 * clock and state files say; the run's counter is the nonce and never turns back. Only datagrams of runs that are proven to go on are
 * opened (peer-runs.ts), each at most once, and only where they are meant for.
 *
 * Any holder of the cluster's key can still speak for any daemon: this keeps outsiders out.
 *
 * What is refused costs a look at a few bytes, or, if it names a proven run and a counter not seen, one failed decryption.
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
  SEAL_TRAILER_RESERVED_OFFSET,
  SEAL_TRAILER_RUN_OFFSET,
  SEAL_TRAILER_TO_OFFSET,
} from '../wire/layout/seal-trailer.ts';
import { readU16, readU48, writeU16, writeU48 } from '../wire/ring-bytes.ts';
import { PacketType } from '../wire/ring-header.ts';
import type { DatagramSealer } from './datagram-sealer.ts';
import { PeerRuns } from './peer-runs.ts';
import { RunKeys } from './run-keys.ts';
import type { DrawBytes, RunIdentity, SealCipher } from './seal-cipher.ts';
import { epochOf, FOR_ANY, LAST_COUNTER, RUN_MARK_LENGTH, SALT_LENGTH, SealRefusal } from './seal-trailer.ts';
import type { SealedRuns } from './sealed-runs.ts';

export interface RunSealerOptions {
  readonly self: number;
  readonly nodeCount: number;
  readonly incarnation: number;
}

export class RunSealer implements DatagramSealer, SealedRuns {
  readonly trailerBytes = SEAL_TRAILER_LENGTH;
  readonly runs: SealedRuns = this;
  readonly peers: PeerRuns;
  readonly #options: RunSealerOptions;
  readonly #cipher: SealCipher;
  readonly #draw: DrawBytes;
  readonly #keys = new RunKeys();
  #own: RunIdentity;
  #counter = 0;

  constructor(options: RunSealerOptions, cipher: SealCipher, draw: DrawBytes) {
    this.#options = options;
    this.#cipher = cipher;
    this.#draw = draw;
    this.peers = new PeerRuns(options.nodeCount);
    this.#own = this.#newRun();
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

  /** The cipher has other keys now. Counters go on, so that no nonce is used twice. @param isOneGone or another one under its id */
  keysChanged(isOneGone: boolean): void {
    this.#keys.forget();
    this.peers.keysChanged(isOneGone);
  }

  /** Goes on as from `counter`. For tests: nobody lives to see 2^48 datagrams. */
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
    for (let i = 0; i < RUN_MARK_LENGTH; i++) bytes[trailer + SEAL_TRAILER_RUN_OFFSET + i] = salt[i]!;
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
    const run = this.peers.find(node, bytes, trailer + SEAL_TRAILER_RUN_OFFSET);
    if (run === null || !run.isProven) return -SealRefusal.UnknownRun;
    const counter = readU48(bytes, trailer + SEAL_TRAILER_COUNTER_OFFSET);
    if (!run.window.isFresh(counter)) return -SealRefusal.Replayed;
    // Deriving keys that far ahead would be work for any stranger to cause. A run unheard for so long proves itself again.
    if (epochOf(counter) > epochOf(run.window.highest) + 1) return -SealRefusal.UnknownRun;
    if (readU48(bytes, offset + RING_HEADER_INCARNATION_OFFSET) !== run.incarnation) return -SealRefusal.WrongKey;
    const key = run.keys.get(this.#cipher, run, keyId, epochOf(counter));
    if (!this.#cipher.decrypt(key, counter, bytes, offset, length)) return -SealRefusal.WrongKey;
    run.window.accept(counter);
    return length;
  }

  /** When all counters are used up, this is a new run to the others. */
  #count(): void {
    if (this.#counter >= LAST_COUNTER) {
      this.#own = this.#newRun();
      this.#keys.forget();
      this.#counter = 0;
    }
    this.#counter++;
  }

  #newRun(): RunIdentity {
    const { self, incarnation } = this.#options;
    return { node: self, incarnation, salt: this.#draw(SALT_LENGTH) };
  }
}
