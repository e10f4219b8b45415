/**
 * What proofs promise about time: once a run has proven itself again to a daemon, nothing opens there that it sealed before it had to.
 * Watches the runs that a daemon believes in, and knows nothing of counters and windows.
 */
import type { PeerRuns } from '../../../engine/seal/peer-runs.ts';

const textOf = (salt: Uint8Array): string => Buffer.from(salt).toString('latin1');

export class Proofs {
  readonly #nowMs: () => number;
  /** By salt: the node whose run it is. */
  readonly #nodes = new Map<string, number>();
  /** By salt: when the run was last doubted or put back; absent, it stands proven. */
  readonly #doubtedAtMs = new Map<string, number>();
  /** By salt: what was sealed before this is over for good. */
  readonly #overBeforeMs = new Map<string, number>();

  constructor(peers: PeerRuns, nowMs: () => number) {
    this.#nowMs = nowMs;
    const prove = peers.prove.bind(peers);
    const putBack = peers.putBack.bind(peers);
    const keysChanged = peers.keysChanged.bind(peers);
    peers.prove = (node, incarnation, salt, counter) => {
      this.#proven(node, textOf(salt));
      return prove(node, incarnation, salt, counter);
    };
    peers.putBack = (node) => {
      for (const [run, of] of this.#nodes) if (of === node) this.#putBack(run);
      putBack(node);
    };
    peers.keysChanged = (isOneGone) => {
      if (isOneGone) for (const run of this.#nodes.keys()) this.#doubt(run);
      keysChanged(isOneGone);
    };
  }

  /** Whether the run with this salt had to prove itself again after `sealedAtMs`, and did. */
  isOver(salt: Uint8Array, sealedAtMs: number): boolean {
    return sealedAtMs < (this.#overBeforeMs.get(textOf(salt)) ?? 0);
  }

  #proven(node: number, run: string): void {
    if (!this.#nodes.has(run)) {
      for (const [other, of] of this.#nodes) if (of === node) this.#putBack(other);
      this.#nodes.set(run, node);
    }
    const atMs = this.#doubtedAtMs.get(run);
    if (atMs === undefined) return;
    this.#doubtedAtMs.delete(run);
    this.#overBeforeMs.set(run, atMs);
  }

  /** It is asked anew: only an answer to what is asked from now on counts. */
  #putBack(run: string): void {
    this.#doubtedAtMs.set(run, this.#nowMs());
  }

  /** A run that stands proven is asked anew. One that does not may still answer what it was asked. */
  #doubt(run: string): void {
    if (!this.#doubtedAtMs.has(run)) this.#putBack(run);
  }
}
