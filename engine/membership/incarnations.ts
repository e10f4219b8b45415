/** Which incarnation of each daemon counts (ring-protocol.md, 3.10 and 3.11). */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import type { NodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';

/**
 * Silence of the later of two incarnations after which the earlier one is accepted again, in idle probe periods: the
 * longest time a daemon outside a ring is silent. Three of them, so that one lost probe does not make two machines with one id
 * take turns. With the timers of a LAN that is 30 s; the 10 s of the specification are shorter than two probes are apart.
 */
const PENALTY_PROBES = 3;
/**
 * Datagrams of an ended incarnation may arrive for this many token loss timeouts. It is also how long a daemon waits that comes back with
 * an earlier number (its clock was set back, or the number is drawn), when its last incarnation was a member, left the ring, and was heard
 * no more: 2.4 s on a LAN. A machine that still runs outside the ring is heard, and the wait above applies.
 */
const SUCCESSION_LOSS_TIMEOUTS = 4;

/**
 * The accepted incarnation of every daemon, and its last attempt. Of two the later counts. A daemon that sent LEAVE has none
 * any more until it is started again.
 *
 * Two machines with one id: the later incarnation wins and the earlier one is left out, while the later is a member or was heard a short
 * time ago. If that lasted forever, the right machine could not return once the wrong one is off.
 */
export class Incarnations {
  readonly #context: NodeContext;
  readonly #known: Float64Array;
  readonly #attempts: Float64Array;
  /** When the known incarnation was heard first, and last. */
  readonly #sinceMs: Float64Array;
  readonly #heardAtMs: Float64Array;
  /** By daemon: its incarnation in the ring this daemon is in, 0 for none. Members need not send what comes past here. */
  readonly #members: Float64Array;
  /** 1: the known incarnation was heard after an earlier one. */
  readonly #spoke: Uint8Array;
  /** 1: the known incarnation was a member until the ring was installed without it, and has not been heard since. */
  readonly #vanished: Uint8Array;

  constructor(context: NodeContext) {
    const { nodeCount } = context;
    this.#context = context;
    this.#known = new Float64Array(nodeCount);
    this.#attempts = new Float64Array(nodeCount);
    this.#sinceMs = new Float64Array(nodeCount);
    this.#heardAtMs = new Float64Array(nodeCount);
    this.#members = new Float64Array(nodeCount);
    this.#spoke = new Uint8Array(nodeCount);
    this.#vanished = new Uint8Array(nodeCount);
  }

  isStale(node: number, nodeIncarnation: number): boolean {
    return nodeIncarnation < this.#known[node]! && !this.#isSilent(node);
  }

  /** A control message that is not stale. */
  learn(node: NodeIndex, nodeIncarnation: number): void {
    const { nowMs } = this.#context;
    if (nodeIncarnation !== this.#known[node]!) {
      this.#known[node] = nodeIncarnation;
      this.#attempts[node] = 0;
      this.#sinceMs[node] = nowMs;
    }
    this.#heardAtMs[node] = nowMs;
    this.#spoke[node] = 1;
    this.#vanished[node] = 0;
  }

  /** Counts a stale message: the incarnations of one id that alternate are two machines, or one that was started a moment ago. */
  staleHeard(node: number): void {
    const { nowMs, counters } = this.#context;
    counters[RingCounter.Stale]++;
    const alternates = this.#spoke[node] === 1 || this.#members[node] === this.#known[node];
    this.#spoke[node] = 0;
    if (alternates && nowMs - this.#sinceMs[node]! > this.#successionMs) counters[RingCounter.IdentityConflicts]++;
  }

  /** Another machine has the id of this daemon. */
  ownIdHeard(): void {
    const { nowMs, counters, startedAtMs } = this.#context;
    if (nowMs - startedAtMs > this.#successionMs) counters[RingCounter.IdentityConflicts]++;
  }

  /** This incarnation of the daemon is over. */
  retire(node: NodeIndex, nodeIncarnation: number): void {
    this.learn(node, nodeIncarnation + 1);
    this.#spoke[node] = 0;
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

  /** A ring was installed. A daemon that it no longer has was heard until now. */
  installed(members: readonly RingMember[]): void {
    const { nowMs } = this.#context;
    for (let node = 0; node < this.#members.length; node++) {
      if (this.#members[node] === 0) continue;
      this.#heardAtMs[node] = nowMs;
      this.#vanished[node] = 1;
    }
    this.#members.fill(0);
    for (const { node, incarnation } of members) {
      this.#members[node] = incarnation;
      this.#vanished[node] = 0;
    }
  }

  /** The incarnation of a daemon that is accepted. */
  knownIncarnation(node: number): number {
    return this.#known[node]!;
  }

  /** How long an earlier incarnation of `node` is ignored yet, if the known one stays silent; infinite while that is a member. */
  waitMs(node: number): number {
    if (this.#members[node] !== 0) return Number.POSITIVE_INFINITY;
    const { nowMs, options } = this.#context;
    const silenceMs = this.#vanished[node] === 1 ? this.#successionMs : PENALTY_PROBES * options.timeouts.probeIdleMs;
    return Math.max(0, this.#heardAtMs[node]! + silenceMs - nowMs);
  }

  /** The known incarnation is no member, and has not been heard for so long that it must be gone. */
  #isSilent(node: number): boolean {
    return this.waitMs(node) === 0;
  }

  get #successionMs(): number {
    return SUCCESSION_LOSS_TIMEOUTS * this.#context.options.timeouts.tokenLossMs;
  }
}
