/**
 * The GATHER phase of one daemon (ring-protocol.md, 3.4): its JOINs, its timers, and whom it leaves out. What it decides
 * the state machine carries out.
 */

import type { NodeContext } from '../host/node-context.ts';
import type { Emitter } from '../ring/emitter.ts';
import { TO_ALL } from '../ring/emitter.ts';
import type { RingMembers } from '../ring/ring-members.ts';
import type { Incarnation, NodeIndex } from '../wire/ids.ts';
import { BodyWriter, type RingMember } from '../wire/ring-body.ts';
import { PacketType, type RingId, sameRing } from '../wire/ring-header.ts';
import { encodeJoin, type JoinMessage } from '../wire/ring-membership.ts';
import { Gather } from './gather.ts';
import type { Incarnations } from './incarnations.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** JOINs sent because something changed keep this distance. */
const MIN_JOIN_GAP_MS = 5;
/** A member that stopped receiving is left alone for this many token loss timeouts. */
const EXCLUSION_LOSS_TIMEOUTS = 10;
/** Rings named in one JOIN at most. */
const MAX_MERGE = 255;

/** What a gather is begun with, besides the old ring. */
export interface GatherCause {
  /** Rings to merge with. */
  readonly merge: readonly RingId[];
  /** Their members, as far as known. */
  readonly expected: readonly RingMember[];
}

export const NO_MERGE: GatherCause = { merge: [], expected: [] };

export type GatherOutcome =
  /** It is on this daemon to form a ring of these. */
  | { readonly kind: 'form'; readonly members: readonly RingMember[] }
  /** The one that should have formed it did not. */
  | { readonly kind: 'again' }
  | null;

export class GatherPhase {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #incarnations: Incarnations;
  readonly #gather: Gather;
  readonly #body = new BodyWriter();
  readonly #joinEveryMs: number;
  /** Members of the old ring that stopped receiving; told in JOINs until a ring is installed. */
  readonly #failed = new Set<NodeIndex>();
  #oldRing: RingMembers | null = null;
  /** Number of this gather. */
  attempt = 0;
  /** Highest ring sequence number known of. */
  maxRingSeq = 0;
  /** Rings to merge with in this change. */
  merge: readonly RingId[] = [];
  #joinAtMs = NEVER;
  #joinedAtMs = Number.NEGATIVE_INFINITY;
  #minAtMs = NEVER;
  #maxAtMs = NEVER;

  constructor(context: NodeContext, emitter: Emitter, incarnations: Incarnations) {
    this.#context = context;
    this.#emitter = emitter;
    this.#incarnations = incarnations;
    this.#gather = new Gather(context.self, context.options.incarnation, context.nodeCount);
    // JOINs go from everyone to everyone: their number grows with the square of the daemons.
    this.#joinEveryMs = Math.max(context.options.timeouts.joinEveryMs, 2 * context.nodeCount);
  }

  get nextDeadlineMs(): number {
    const { nowMs, options } = this.#context;
    const decisionMs =
      this.#minAtMs > nowMs
        ? this.#minAtMs
        : this.#maxAtMs > nowMs
          ? this.#maxAtMs
          : this.#maxAtMs + options.timeouts.commitMs;
    return Math.min(this.#joinAtMs, decisionMs);
  }

  begin(oldRing: RingMembers, cause: GatherCause): void {
    const { nowMs, options, self } = this.#context;
    this.#oldRing = oldRing;
    this.attempt++;
    const isNew = (ring: RingId): boolean => !this.merge.some((known) => sameRing(known, ring));
    this.merge = [...this.merge, ...cause.merge.filter(isNew)].slice(0, MAX_MERGE);
    const expected = new Set<NodeIndex>();
    for (const { node, incarnation } of [...oldRing.members, ...cause.expected]) {
      const isGone = this.#gather.isIgnored(node, nowMs) || this.#incarnations.isRetired(node, incarnation);
      if (node !== self && !isGone) expected.add(node);
    }
    this.#gather.begin(expected);
    this.#minAtMs = nowMs + options.timeouts.gatherMinMs;
    this.#maxAtMs = nowMs + options.timeouts.gatherMaxMs;
    this.#sendJoin();
  }

  stop(): void {
    this.#joinAtMs = NEVER;
    this.#minAtMs = NEVER;
    this.#maxAtMs = NEVER;
  }

  /** The change came to its end. */
  installed(): void {
    this.merge = [];
    this.#failed.clear();
  }

  /** Has all members of the old ring leave out one that stopped receiving. */
  exclude(node: NodeIndex): void {
    const { nowMs, options } = this.#context;
    this.#failed.add(node);
    this.#gather.ignore(node, nowMs + EXCLUSION_LOSS_TIMEOUTS * options.timeouts.tokenLossMs);
  }

  isIgnored(node: number): boolean {
    return this.#gather.isIgnored(node, this.#context.nowMs);
  }

  /** A daemon ended politely. */
  forget(node: NodeIndex): void {
    this.#gather.forget(node);
  }

  /** The gather in which a daemon was heard last. */
  attemptOf(node: NodeIndex): number {
    return node === this.#context.self ? this.attempt : this.#gather.attemptOf(node);
  }

  /** Takes a JOIN in, and answers at once when it brings something new. @returns whether the decision may change */
  record(from: NodeIndex, fromIncarnation: Incarnation, join: JoinMessage): boolean {
    const { self } = this.#context;
    const oldRing = this.#oldRing!;
    if (sameRing(join.oldRing, oldRing.id)) {
      for (const node of join.failed) {
        if (node !== self && oldRing.has(node) && !this.#failed.has(node)) this.exclude(node);
      }
    }
    const { isNew, isChange } = this.#gather.record(from, fromIncarnation, join);
    const isHigher = join.maxRingSeq > this.maxRingSeq;
    if (isHigher) this.maxRingSeq = join.maxRingSeq;
    if (isNew || isHigher) this.joinSoon();
    return isChange;
  }

  /** The JOIN has changed, or has a new receiver. */
  joinSoon(): void {
    const { nowMs } = this.#context;
    this.#joinAtMs = Math.min(this.#joinAtMs, Math.max(nowMs, this.#joinedAtMs + MIN_JOIN_GAP_MS));
    this.tick();
  }

  tick(): void {
    if (this.#joinAtMs <= this.#context.nowMs) this.#sendJoin();
  }

  decide(): GatherOutcome {
    const { nowMs, options } = this.#context;
    const { gatherMaxMs, commitMs } = options.timeouts;
    if (nowMs < this.#minAtMs) return null;
    const decision = this.#gather.decide();
    if (decision.kind === 'lead') {
      return decision.agreed || nowMs >= this.#maxAtMs ? { kind: 'form', members: decision.members } : null;
    }
    if (nowMs < this.#maxAtMs + commitMs) return null;
    this.#gather.ignore(decision.leader, nowMs + gatherMaxMs + commitMs);
    return { kind: 'again' };
  }

  #sendJoin(): void {
    const { nowMs, options } = this.#context;
    const oldRing = this.#oldRing!.id;
    this.#body.reset();
    encodeJoin(this.#body, options.clusterHash, {
      attempt: this.attempt,
      maxRingSeq: this.maxRingSeq,
      oldRing,
      merge: this.merge,
      failed: [...this.#failed],
      hears: this.#gather.hears(),
    });
    this.#emitter.control(PacketType.Join, 0, oldRing, this.#body.bytes, this.#body.lengthBytes, TO_ALL);
    this.#joinedAtMs = nowMs;
    this.#joinAtMs = nowMs + this.#context.jitter(this.#joinEveryMs);
  }
}
