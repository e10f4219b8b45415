/**
 * Finding other rings while the own ring runs (ring-protocol.md, 3.4): the leader probes the configured daemons outside
 * its ring; an answer shows that both directions work; then both rings gather. After a change, and longer after each
 * merge that came to nothing, no merge is begun or agreed to, so that a flapping link cannot keep the rings busy.
 */

import type { NodeContext } from '../host/node-context.ts';
import type { RingMembers } from '../ring/ring-members.ts';
import { type NodeIndex, nodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';
import { type RingId, sameRing } from '../wire/ring-header.ts';
import type { ProbeMessage } from '../wire/ring-membership.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Probes without an answer before they become rare. */
const PROBES_BEFORE_IDLE = 60;
/** Strangers' packets make the leader probe at once, but not more often than this. */
const MIN_PROBE_GAP_MS = 100;
const MAX_MERGE_DELAY_MS = 60_000;

/** A ring that can be merged with. */
export interface MergeTarget {
  readonly ring: RingId;
  readonly leader: NodeIndex;
  readonly members: readonly RingMember[];
}

export class Probing {
  readonly #context: NodeContext;
  #probeAtMs = NEVER;
  #lastProbeMs = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #nonce = 0;
  #targets: MergeTarget[] = [];
  #mergeAtMs = NEVER;
  #mergeNotBeforeMs = 0;
  #failedMerges = 0;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** A ring of which this daemon is the leader was installed, with daemons left outside. */
  begin(isFirst: boolean): void {
    const { probeEveryMs } = this.#context.options.timeouts;
    this.#targets = [];
    this.#mergeAtMs = NEVER;
    this.#unanswered = 0;
    // A daemon that just started looks round at once, a ring that just changed after one period.
    this.#probeAtMs = this.#context.nowMs + (isFirst ? this.#context.random() * 5 : this.#context.jitter(probeEveryMs));
  }

  stop(): void {
    this.#probeAtMs = NEVER;
    this.#mergeAtMs = NEVER;
    this.#targets = [];
  }

  get nextDeadlineMs(): number {
    return Math.min(this.#probeAtMs, this.#mergeAtMs);
  }

  get nonce(): number {
    return this.#nonce;
  }

  /** Merges may be begun and agreed to. */
  get isWilling(): boolean {
    return this.#context.nowMs >= this.#mergeNotBeforeMs;
  }

  /** Sets the time before which no merge may begin. @param mergeFailed the ring was to grow and did not */
  damp(mergeFailed: boolean, mergeSucceeded: boolean): void {
    if (mergeFailed) this.#failedMerges++;
    else if (mergeSucceeded) this.#failedMerges = 0;
    const delayMs = this.#context.options.timeouts.mergeNotBeforeMs * 2 ** Math.min(this.#failedMerges, 16);
    this.#mergeNotBeforeMs = this.#context.nowMs + Math.min(MAX_MERGE_DELAY_MS, delayMs);
  }

  /** A packet of a ring that is not mine was heard. */
  foreignHeard(): void {
    if (this.#probeAtMs === NEVER) return;
    this.#unanswered = 0;
    this.#probeAtMs = Math.min(this.#probeAtMs, Math.max(this.#context.nowMs, this.#lastProbeMs + MIN_PROBE_GAP_MS));
  }

  /** @returns whether it is time to send PROBEs */
  probeDue(): boolean {
    const { nowMs, options } = this.#context;
    if (this.#probeAtMs > nowMs) return false;
    const periodMs =
      ++this.#unanswered > PROBES_BEFORE_IDLE ? options.timeouts.probeIdleMs : options.timeouts.probeEveryMs;
    this.#lastProbeMs = nowMs;
    this.#probeAtMs = nowMs + this.#context.jitter(periodMs);
    this.#nonce = (this.#nonce + 1) >>> 0;
    return true;
  }

  /** An answer to the last probe: remembers the ring; those that answer soon after are merged with in the same change. */
  answered(leader: NodeIndex, answer: ProbeMessage, mine: RingMembers, outside: number): void {
    if (answer.nonce !== this.#nonce || !this.isWilling) return;
    this.#unanswered = 0;
    if (this.#targets.some(({ ring }) => sameRing(ring, answer.ring))) return;
    this.#targets.push({ ring: answer.ring, leader: nodeIndex(leader), members: answer.members });
    const { nowMs, options } = this.#context;
    if (this.#mergeAtMs === NEVER) this.#mergeAtMs = nowMs + options.timeouts.joinEveryMs;
    const found = new Set(this.#targets.flatMap(({ members }) => members.map(({ node }) => node)));
    for (const { node } of mine.members) found.delete(node);
    if (found.size >= outside) this.#mergeAtMs = nowMs;
  }

  /** @returns the rings to merge with, when it is time to; null otherwise */
  takeTargets(): readonly MergeTarget[] | null {
    if (this.#mergeAtMs > this.#context.nowMs || this.#targets.length === 0) return null;
    const targets = this.#targets;
    this.#targets = [];
    this.#mergeAtMs = NEVER;
    return targets;
  }
}
