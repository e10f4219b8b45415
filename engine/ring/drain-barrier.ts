/**
 * Daemons of one ring that stop at the same time stop together (ring-protocol.md, 3.12). Each puts into the order how far it has come, so
 * all of them agree on it at the same place of the order, and none continues before it has delivered what the others' clients had sent. A
 * daemon that left early would change the ring, in which nothing is ordered meanwhile, and would cost the others their time.
 *
 * It never waits for a daemon that does not stop, nor for one that is not in its configuration any more.
 */
import type { Configuration } from '../host/configuration.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { DrainStage } from '../wire/record.ts';

export interface DrainHost {
  /** Puts this daemon's stage into the order. */
  announce(stage: DrainStage): void;
  /** Everything that this daemon has put into the order is delivered here, and held by every member. */
  isSettled(): boolean;
}

export class DrainBarrier {
  readonly #self: NodeIndex;
  readonly #host: DrainHost;
  /** By node, as delivered. */
  readonly #stages: Uint8Array;
  /** By node; 0: not in the configuration. */
  readonly #incarnations: Float64Array;
  /** What this daemon announced last. */
  #own: DrainStage = DrainStage.Serving;
  /** The last stage that was met. It stays so, whatever becomes of the ring. */
  #met: DrainStage = DrainStage.Serving;

  constructor(self: NodeIndex, nodeCount: number, host: DrainHost) {
    this.#self = self;
    this.#host = host;
    this.#stages = new Uint8Array(nodeCount);
    this.#incarnations = new Float64Array(nodeCount);
  }

  /** This daemon has come to `stage`. No daemon waits for `Draining`. */
  reach(stage: DrainStage): void {
    if (stage <= this.#own) return;
    this.#own = stage;
    this.#host.announce(stage);
  }

  /**
   * Looks whether this daemon and all of its ring that stop as well have come to the stage that this daemon has announced, and remembers
   * that they have.
   */
  checkMet(): boolean {
    if (this.#met < this.#own && this.#stages[this.#self]! >= this.#own && this.#host.isSettled() && !this.#isWaiting)
      this.#met = this.#own;
    return this.#met >= this.#own;
  }

  /** Daemons that stop and are not where this daemon is. */
  get awaited(): readonly number[] {
    return [...this.#stages.keys()].filter((node) => this.#isBehind(node));
  }

  /** A Drain record of `origin`, at its place in the order. */
  delivered(origin: NodeIndex, stage: DrainStage): void {
    this.#stages[origin] = Math.max(this.#stages[origin]!, stage);
  }

  /** Daemons that were in another ring do not know how far this one has come. */
  configurationChanged({ id, members }: Configuration): void {
    if (id.kind !== 'regular') return;
    for (let node = 0; node < this.#stages.length; node++) {
      const incarnation = members.find((member) => member.node === node)?.incarnation ?? 0;
      if (incarnation !== this.#incarnations[node]) this.#stages[node] = DrainStage.Serving;
      this.#incarnations[node] = incarnation;
    }
    if (this.#own > DrainStage.Serving) this.#host.announce(this.#own);
  }

  get #isWaiting(): boolean {
    for (let node = 0; node < this.#stages.length; node++) if (this.#isBehind(node)) return true;
    return false;
  }

  #isBehind(node: number): boolean {
    const stage = this.#stages[node]!;
    return node !== this.#self && stage > DrainStage.Serving && stage < this.#own;
  }
}
