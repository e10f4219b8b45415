/**
 * What proofs promise about time: once an incarnation has proven itself again to a daemon, nothing opens there that it sealed before it had to.
 * Watches the incarnations that a daemon believes in, and knows nothing of counters and windows.
 */
import type { PeerIncarnations } from '../../../engine/seal/peer-incarnations.ts';

const textOf = (salt: Uint8Array): string => Buffer.from(salt).toString('latin1');

export class Proofs {
  readonly #nowMs: () => number;
  /** By salt: the node whose incarnation it is. */
  readonly #nodes = new Map<string, number>();
  /** By salt: when the incarnation was last doubted or put back; absent, it stands proven. */
  readonly #doubtedAtMs = new Map<string, number>();
  /** By salt: what was sealed before this is over for good. */
  readonly #overBeforeMs = new Map<string, number>();

  constructor(peers: PeerIncarnations, nowMs: () => number) {
    this.#nowMs = nowMs;
    const prove = peers.prove.bind(peers);
    const putBack = peers.putBack.bind(peers);
    const keysChanged = peers.keysChanged.bind(peers);
    peers.prove = (node, incarnation, salt, counter) => {
      this.#proven(node, textOf(salt));
      return prove(node, incarnation, salt, counter);
    };
    peers.putBack = (node) => {
      for (const [salt, of] of this.#nodes) if (of === node) this.#putBack(salt);
      putBack(node);
    };
    peers.keysChanged = (isOneGone) => {
      if (isOneGone) for (const salt of this.#nodes.keys()) this.#doubt(salt);
      keysChanged(isOneGone);
    };
  }

  /** Whether the incarnation with this salt had to prove itself again after `sealedAtMs`, and did. */
  isOver(salt: Uint8Array, sealedAtMs: number): boolean {
    return sealedAtMs < (this.#overBeforeMs.get(textOf(salt)) ?? 0);
  }

  #proven(node: number, salt: string): void {
    if (!this.#nodes.has(salt)) {
      for (const [other, of] of this.#nodes) if (of === node) this.#putBack(other);
      this.#nodes.set(salt, node);
    }
    const atMs = this.#doubtedAtMs.get(salt);
    if (atMs === undefined) return;
    this.#doubtedAtMs.delete(salt);
    this.#overBeforeMs.set(salt, atMs);
  }

  /** It is asked anew: only an answer to what is asked from now on counts. */
  #putBack(salt: string): void {
    this.#doubtedAtMs.set(salt, this.#nowMs());
  }

  /** An incarnation that stands proven is asked anew. One that does not may still answer what it was asked. */
  #doubt(salt: string): void {
    if (!this.#doubtedAtMs.has(salt)) this.#putBack(salt);
  }
}
