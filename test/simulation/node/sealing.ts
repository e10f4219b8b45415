/**
 * Sealed traffic of an incarnation: the engine's rules with real cryptography, salts and questions drawn from the seed. What daemons send
 * is encrypted then, so what the simulator has to know of it is noted before, and what is opened is compared with what was sealed.
 */
import type { ClusterKey } from '../../../engine/config/cluster-keys.ts';
import type { DatagramSealer } from '../../../engine/seal/datagram-sealer.ts';
import { KeyedSealer, type KeyedSealerOptions } from '../../../engine/seal/keyed-sealer.ts';
import type { SealCipher, SealIdentity } from '../../../engine/seal/seal-cipher.ts';
import { FOR_ANY } from '../../../engine/seal/seal-trailer.ts';
import { AeadCipher } from '../../../workers/ring/aead-cipher.ts';
import { type Random, randomFor } from '../core/random.ts';
import { packetType } from '../network/wire-view.ts';
import type { ProcessTrace } from '../trace/trace.ts';
import { Proofs } from './proofs.ts';

const KEY_BYTES = 32;

const drawBytes = (random: Random, lengthBytes: number): Uint8Array =>
  Uint8Array.from({ length: lengthBytes }, () => random.word());

const TAG_LENGTH = 16;
const MAX_FAULTS = 20;

interface SealedDatagram {
  readonly by: ProcessTrace;
  /** Of its incarnation. */
  readonly salt: Uint8Array;
  readonly to: number;
  readonly atMs: number;
  /** Processes that opened it. */
  readonly openedBy: Set<number>;
}

/** What all daemons of an incarnation have in common: keys, and the eye on what they do with them. */
export class Sealing {
  readonly #random: Random;
  readonly #old: ClusterKey;
  readonly #new: ClusterKey;
  readonly #used = new Set<string>();
  /** By tag. */
  readonly #datagrams = new Map<string, SealedDatagram>();
  readonly #nowMs: () => number;
  /** By process, then by node: when the latest run of the node started whose datagrams it opened. */
  readonly #latestMs: Map<number, number>[] = [];
  /** What no seal must let happen, and did. */
  readonly faults: string[] = [];

  constructor(seed: number, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#random = randomFor(seed, 'seals');
    this.#old = { id: 1, key: this.#drawKey() };
    this.#new = { id: 2, key: this.#drawKey() };
  }

  /** Key file by step of a rotation: the old key, the new one behind, in front, alone. */
  keys(step: number): readonly ClusterKey[] {
    const files = [[this.#old], [this.#old, this.#new], [this.#new, this.#old], [this.#new]];
    return files[Math.min(step, files.length - 1)]!;
  }

  sealed(by: ProcessTrace, salt: Uint8Array, to: number, bytes: Uint8Array, tagAt: number): void {
    this.#datagrams.set(tagText(bytes, tagAt), { by, salt, to, atMs: this.#nowMs(), openedBy: new Set() });
  }

  /** Process `by`, whose place in its configuration is `self`, believes a datagram. */
  opened(by: ProcessTrace, self: number, proofs: Proofs, bytes: Uint8Array, tagAt: number): void {
    const datagram = this.#datagrams.get(tagText(bytes, tagAt));
    if (datagram === undefined) {
      this.#fault(by, 'a datagram that nobody sealed');
      return;
    }
    const { by: sender, salt, to, atMs, openedBy } = datagram;
    const what = `what node ${sender.node} (incarnation ${sender.incarnation}) sealed at ${atMs.toFixed(1)} ms`;
    if (openedBy.has(by.process)) this.#fault(by, `${what}, twice`);
    openedBy.add(by.process);
    if (to !== self && to !== FOR_ANY) this.#fault(by, `${what}, for node index ${to}`);
    if (sender.node === by.node && sender.machine === by.machine)
      this.#fault(by, `${what}, an incarnation of its own machine`);
    if (atMs < by.startedAtMs) this.#fault(by, `${what}, before it started itself`);
    if (proofs.isOver(salt, atMs)) this.#fault(by, `${what}, before it had to prove itself again`);
    this.#latestMs[by.process] ??= new Map();
    const latestMs = this.#latestMs[by.process]!;
    const known = latestMs.get(sender.node) ?? 0;
    if (sender.startedAtMs < known && sender.end !== 'running')
      this.#fault(by, `${what}, after a later incarnation was heard`);
    latestMs.set(sender.node, Math.max(known, sender.startedAtMs));
  }

  #fault(by: ProcessTrace, what: string): void {
    if (this.faults.length >= MAX_FAULTS) return;
    this.faults.push(
      `node ${by.node} (incarnation ${by.incarnation}) opened at ${this.#nowMs().toFixed(1)} ms ${what}`,
    );
  }

  sealerFor(
    options: KeyedSealerOptions & { readonly clusterHash: Uint8Array },
    step: number,
    process: ProcessTrace,
  ): WatchedSealer {
    const cipher = new AeadCipher(this.keys(step), options.clusterHash);
    const random = this.#random.fork();
    const sealer = new KeyedSealer(options, this.#watch(cipher), (lengthBytes) => drawBytes(random, lengthBytes));
    const proofs = new Proofs(sealer.peers, this.#nowMs);
    return new WatchedSealer(sealer, cipher, this, proofs, process, options.self);
  }

  #drawKey(): string {
    return Buffer.from(drawBytes(this.#random, KEY_BYTES)).toString('base64');
  }

  #watch(cipher: AeadCipher): SealCipher {
    return {
      get sealingId() {
        return cipher.sealingId;
      },
      hasKey: (keyId) => cipher.hasKey(keyId),
      incarnationKey: (keyId: number, identity: SealIdentity, epoch: number) =>
        cipher.incarnationKey(keyId, identity, epoch),
      encrypt: (key, counter, bytes, offset, lengthBytes) => {
        const pair = `${Buffer.from(key).toString('latin1')} ${counter}`;
        if (this.#used.has(pair)) this.faults.push(`key and nonce ${counter} were used before`);
        this.#used.add(pair);
        cipher.encrypt(key, counter, bytes, offset, lengthBytes);
      },
      decrypt: (key, counter, bytes, offset, lengthBytes) => cipher.decrypt(key, counter, bytes, offset, lengthBytes),
      sign: (keyId, bytes, offset, lengthBytes) => cipher.sign(keyId, bytes, offset, lengthBytes),
      verify: (keyId, bytes, offset, lengthBytes) => cipher.verify(keyId, bytes, offset, lengthBytes),
    };
  }
}

/** Keeps what it sealed last, as it was before. */
export class WatchedSealer implements DatagramSealer {
  readonly #sealer: KeyedSealer;
  readonly #cipher: AeadCipher;
  readonly #sealing: Sealing;
  readonly #proofs: Proofs;
  readonly #process: ProcessTrace;
  readonly #self: number;
  readonly trailerBytes: number;
  readonly incarnations: DatagramSealer['incarnations'];
  sealedLast: Uint8Array = new Uint8Array(0);

  constructor(
    sealer: KeyedSealer,
    cipher: AeadCipher,
    sealing: Sealing,
    proofs: Proofs,
    process: ProcessTrace,
    self: number,
  ) {
    this.#sealer = sealer;
    this.#cipher = cipher;
    this.#sealing = sealing;
    this.#proofs = proofs;
    this.#process = process;
    this.#self = self;
    this.trailerBytes = sealer.trailerBytes;
    this.incarnations = sealer;
  }

  setKeys(keys: readonly ClusterKey[]): void {
    this.#sealer.keysChanged(this.#cipher.prepareKeys(keys)());
  }

  seal(bytes: Uint8Array, offset: number, lengthBytes: number, to: number): number {
    this.sealedLast = bytes.slice(offset, offset + lengthBytes);
    const length = this.#sealer.seal(bytes, offset, lengthBytes, to);
    this.#sealing.sealed(this.#process, this.#sealer.salt, to, bytes, offset + length - TAG_LENGTH);
    return length;
  }

  open(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const length = this.#sealer.open(bytes, offset, lengthBytes);
    // A greeting says nothing to the ring, and what it proves is for the incarnation that asked.
    if (length >= 0 && packetType(bytes.subarray(offset)) !== 'greeting')
      this.#sealing.opened(this.#process, this.#self, this.#proofs, bytes, offset + lengthBytes - TAG_LENGTH);
    return length;
  }
}

const tagText = (bytes: Uint8Array, at: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, TAG_LENGTH).toString('latin1');
