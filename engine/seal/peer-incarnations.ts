/**
 * Which incarnations of other daemons are accepted. A salt identifies an incarnation. It is proven once it has answered a challenge of this
 * incarnation (incarnation-proofs.ts): so it is live, and recordings of ended incarnations are refused.
 *
 * A newly proven incarnation revokes the proofs of the others of its daemon: they have ended, or they prove themselves again. Two
 * machines with one id both can, and the ring sees both. Datagrams sealed before the proof are refused, whoever sends them.
 */

import { IncarnationKeys } from './incarnation-keys.ts';
import { REPLAY_WINDOW, ReplayWindow } from './replay-window.ts';
import type { SealIdentity } from './seal-cipher.ts';
import { epochOf, SALT_MARK_LENGTH } from './seal-trailer.ts';

/** Incarnations of one daemon that are remembered: one, or two machines with its id, and one more. */
export const MAX_INCARNATIONS = 3;

export class PeerIncarnation implements SealIdentity {
  readonly node: number;
  readonly incarnation: number;
  readonly salt: Uint8Array;
  readonly window = new ReplayWindow();
  readonly keys = new IncarnationKeys();
  /** Its datagrams are opened. */
  isProven = false;
  /** A key that may have proven it was removed, so its window is not trusted. */
  isDoubted = false;

  constructor(node: number, incarnation: number, salt: Uint8Array) {
    this.node = node;
    this.incarnation = incarnation;
    this.salt = salt.slice();
  }
}

export class PeerIncarnations {
  /** By daemon, the last one proven first. */
  readonly #incarnations: PeerIncarnation[][];

  constructor(nodeCount: number) {
    this.#incarnations = Array.from({ length: nodeCount }, () => []);
  }

  /** The incarnation whose salt begins with the bytes at `at`; null when it is not remembered. */
  find(node: number, bytes: Uint8Array, at: number): PeerIncarnation | null {
    const incarnations = this.#incarnations[node]!;
    for (let i = 0; i < incarnations.length; i++) {
      if (begins(incarnations[i]!.salt, bytes, at, SALT_MARK_LENGTH)) return incarnations[i]!;
    }
    return null;
  }

  isProven(node: number, incarnation: number, salt: Uint8Array): boolean {
    return this.#known(node, incarnation, salt)?.isProven === true;
  }

  /**
   * The incarnation answered the open challenge.
   * @param counter its last one: whatever it sealed before is refused from here on
   * @returns whether the incarnation is new, which puts others of its daemon back
   */
  prove(node: number, incarnation: number, salt: Uint8Array, counter: number): boolean {
    const incarnations = this.#incarnations[node]!;
    const known = this.#known(node, incarnation, salt);
    if (known === undefined) {
      for (const other of incarnations) other.isProven = false;
      const peer = new PeerIncarnation(node, incarnation, salt);
      peer.isProven = true;
      peer.window.reset(counter);
      incarnations.unshift(peer);
      incarnations.length = Math.min(incarnations.length, MAX_INCARNATIONS);
      return true;
    }
    const { window } = known;
    // A counter so far ahead that all current datagrams would be refused: a holder of a removed key claimed it.
    const isPoisoned = known.isDoubted && counter <= window.highest - REPLAY_WINDOW;
    const isFarAhead = epochOf(counter) > epochOf(window.highest) + 1;
    if (isPoisoned || isFarAhead) window.reset(counter);
    // An answer that comes late has a lower number than what was opened meanwhile, and that must not be opened again.
    else if (known.isDoubted || !known.isProven) window.refuseUpTo(counter);
    known.isProven = true;
    known.isDoubted = false;
    return false;
  }

  /** The daemon was lost: its incarnations have to prove themselves again. */
  putBack(node: number): void {
    for (const peer of this.#incarnations[node]!) peer.isProven = false;
  }

  /** The cluster's keys have changed. @param isOneGone a holder of a removed key could have claimed anything about any incarnation */
  keysChanged(isOneGone: boolean): void {
    for (const incarnations of this.#incarnations) {
      for (const peer of incarnations) {
        peer.keys.forget();
        peer.isDoubted ||= isOneGone;
      }
    }
  }

  hasDoubted(node: number): boolean {
    return this.#incarnations[node]!.some((peer) => peer.isDoubted && peer.isProven);
  }

  #known(node: number, incarnation: number, salt: Uint8Array): PeerIncarnation | undefined {
    return this.#incarnations[node]!.find(
      (peer) => peer.incarnation === incarnation && begins(peer.salt, salt, 0, peer.salt.length),
    );
  }
}

function begins(salt: Uint8Array, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
  for (let i = 0; i < lengthBytes; i++) if (salt[i] !== bytes[at + i]) return false;
  return true;
}
