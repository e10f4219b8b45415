/** Which run of each daemon counts (ring-protocol.md, 3.10 and 3.11). */
import type { NodeIndex } from '../wire/ids.ts';

/**
 * The oldest run of every daemon that is still listened to, and its last attempt. A daemon that said good-bye has none
 * any more until it is started again.
 */
export class Incarnations {
  readonly #known: Float64Array;
  readonly #attempts: Float64Array;

  constructor(nodeCount: number) {
    this.#known = new Float64Array(nodeCount);
    this.#attempts = new Float64Array(nodeCount);
  }

  isStale(node: number, nodeIncarnation: number): boolean {
    return nodeIncarnation < this.#known[node]!;
  }

  learn(node: NodeIndex, nodeIncarnation: number): void {
    if (nodeIncarnation <= this.#known[node]!) return;
    this.#known[node] = nodeIncarnation;
    this.#attempts[node] = 0;
  }

  /** This run of the daemon is over. */
  retire(node: NodeIndex, nodeIncarnation: number): void {
    this.learn(node, nodeIncarnation + 1);
  }

  isRetired(node: NodeIndex, nodeIncarnation: number): boolean {
    return this.#known[node]! > nodeIncarnation;
  }

  /** @returns false for a JOIN of an earlier attempt */
  acceptAttempt(node: NodeIndex, attempt: number): boolean {
    if (attempt < this.#attempts[node]!) return false;
    this.#attempts[node] = attempt;
    return true;
  }
}
