/**
 * Daemon membership (ring-protocol.md, 3.4 to 3.10): OPERATIONAL, GATHER, COMMIT, RECOVER. From the moment a ring is given up
 * until another is installed no token of it is handled or passed on, and nothing is delivered.
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter, RingState } from '../host/ring-counters.ts';
import type { Emitter } from '../ring/emitter.ts';
import type { FlowControl } from '../ring/flow-control.ts';
import type { Ordering } from '../ring/ordering.ts';
import type { StoreSize } from '../ring/packet-store.ts';
import type { PathSize } from '../ring/path-size.ts';
import type { Retransmission } from '../ring/retransmission.ts';
import { RingMembers } from '../ring/ring-members.ts';
import { clockFloor, highestAccepted } from '../ring/ring-seq-limits.ts';
import type { TokenDesk } from '../ring/token-desk.ts';
import type { TokenLink } from '../ring/token-link.ts';
import { unstoredRingSeqStep } from '../ring/unstored-ring-seq.ts';
import { type Incarnation, type NodeIndex, nodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';
import { type RingHeader, type RingId, sameRing } from '../wire/ring-header.ts';
import type { CommitMember, CommitMessage, JoinMessage } from '../wire/ring-membership.ts';
import type { Token } from '../wire/ring-token.ts';
import { blockOf, fillIn, type Holdings, isComplete, isSound } from './commit.ts';
import { CommitExchange } from './commit-exchange.ts';
import { type GatherCause, GatherPhase, NO_MERGE } from './gather-phase.ts';
import type { Incarnations } from './incarnations.ts';
import type { Installer } from './installer.ts';
import { Recovery } from './recovery.ts';

const NEVER = Number.POSITIVE_INFINITY;
const NOBODY: ReadonlyMap<NodeIndex, CommitMember> = new Map();

/** What membership works on, made by the ring node. */
export interface MembershipParts {
  readonly ordering: Ordering;
  readonly link: TokenLink;
  readonly desk: TokenDesk;
  readonly size: StoreSize;
  readonly installer: Installer;
  readonly incarnations: Incarnations;
  readonly merging: Merging;
  readonly paths: PathSize;
  readonly retransmission: Retransmission;
  readonly flow: FlowControl;
}

/** Events of membership for the search for other rings. */
export interface Merging {
  readonly nextDeadlineMs: number;
  /** Merges may be agreed to now. */
  readonly isWilling: boolean;
  installed(ring: RingMembers, wanted: readonly RingId[], isFirst: boolean): void;
  stop(): void;
}

export class DaemonMembership {
  readonly #context: NodeContext;
  readonly #ordering: Ordering;
  readonly #link: TokenLink;
  readonly #desk: TokenDesk;
  readonly #size: StoreSize;
  readonly #gathering: GatherPhase;
  readonly #incarnations: Incarnations;
  readonly #exchange: CommitExchange;
  readonly #recovery: Recovery;
  readonly #installer: Installer;
  readonly #merging: Merging;
  readonly #paths: PathSize;

  state: RingState = RingState.Operational;
  /** Its token is awaited or turns, but it is not installed; only in RECOVER. */
  future: RingMembers | null = null;
  /** In COMMIT and RECOVER: whom the COMMIT was made for, as they were then. */
  #committed: ReadonlyMap<NodeIndex, CommitMember> = NOBODY;
  #commitUntilMs = NEVER;
  /** Number of the last ring this incarnation made; and whether it has left some out above those of others. */
  #ownRingSeq = 0;
  #hasStepped = false;

  constructor(context: NodeContext, emitter: Emitter, parts: MembershipParts) {
    this.#context = context;
    this.#ordering = parts.ordering;
    this.#link = parts.link;
    this.#desk = parts.desk;
    this.#size = parts.size;
    this.#installer = parts.installer;
    this.#incarnations = parts.incarnations;
    this.#merging = parts.merging;
    this.#paths = parts.paths;
    this.#gathering = new GatherPhase(context, emitter, parts.incarnations);
    this.#exchange = new CommitExchange(context, emitter);
    this.#recovery = new Recovery(context, parts.retransmission, parts.flow, parts.link, {
      adoptObligations: (obliged) => {
        this.#installer.obligations = obliged;
      },
      install: (token) => this.#install(token),
    });
  }

  /** Installs the ring of one member with which a daemon starts. */
  start(ringSeq: number): void {
    const { self, options } = this.#context;
    this.#gathering.maxRingSeq = ringSeq;
    this.#ownRingSeq = ringSeq;
    this.#installer.first({ seq: ringSeq, leader: self, leaderIncarnation: options.incarnation });
    this.#operational(true);
  }

  get nextDeadlineMs(): number {
    return Math.min(
      this.#gathering.nextDeadlineMs,
      this.#commitUntilMs,
      this.#exchange.nextDeadlineMs,
      this.#merging.nextDeadlineMs,
    );
  }

  get isOperational(): boolean {
    return this.state === RingState.Operational;
  }

  /** Gives the ring up. With `cause` the JOINs name the rings that are to come along. */
  enterGather(cause: GatherCause = NO_MERGE): void {
    const { counters } = this.#context;
    if (this.state === RingState.Recover) counters[RingCounter.FailedRecoveries]++;
    counters[RingCounter.Gathers]++;
    this.#desk.stop();
    this.#link.stop();
    this.#exchange.stop();
    this.#merging.stop();
    this.#paths.stop();
    this.future = null;
    this.#commitUntilMs = NEVER;
    this.#setState(RingState.Gather);
    this.#gathering.begin(this.#installer.ring, cause);
  }

  /** Has the others leave out a member that stopped receiving, and gathers. */
  exclude(node: NodeIndex): void {
    this.#context.counters[RingCounter.Exclusions]++;
    this.#gathering.exclude(node);
    this.enterGather();
  }

  isIgnored(node: number): boolean {
    return this.#gathering.isIgnored(node);
  }

  /** A daemon did not believe what this one sent so far, and does now. */
  joinAgain(): void {
    if (this.state === RingState.Gather) this.#gathering.joinSoon();
  }

  /** Whether `from` may be followed to a ring of that number; if not, that is counted. */
  acceptsNumber(ringSeq: number, from: NodeIndex): boolean {
    if (ringSeq <= highestAccepted(this.#gathering.maxRingSeq)) return true;
    const { counters } = this.#context;
    counters[RingCounter.NumbersRefused]++;
    counters[RingCounter.NumbersRefusedFrom] = from;
    return false;
  }

  joinArrived(from: NodeIndex, fromIncarnation: Incarnation, join: JoinMessage): void {
    const { counters } = this.#context;
    const ring = this.#installer.ring;
    if (!this.acceptsNumber(join.maxRingSeq, from)) return;
    if (!this.#incarnations.acceptAttempt(from, join.attempt)) {
      counters[RingCounter.Stale]++;
      return;
    }
    if (this.#gathering.isIgnored(from)) return;
    if (this.state === RingState.Operational) {
      const restarted = ring.has(from) && ring.incarnationOf(from) < fromIncarnation;
      const isMember = ring.has(from) && !restarted;
      const leaves = isMember && join.maxRingSeq >= ring.id.seq;
      // A daemon that is alone has no ring to disturb: it comes along without being named.
      const isAsked = ring.size === 1 || join.merge.some((target) => sameRing(target, ring.id));
      const merges = !isMember && this.#merging.isWilling && isAsked;
      if (!restarted && !leaves && !merges) {
        counters[RingCounter.Stale]++;
        return;
      }
      this.enterGather(merges ? { merge: [join.oldRing, ...join.merge], expected: join.hears } : NO_MERGE);
    } else if (this.state !== RingState.Gather) {
      const committed = this.#committed.get(from);
      if (committed === undefined) return;
      if (committed.incarnation === fromIncarnation && join.attempt <= committed.attempt) return;
      this.enterGather();
    }
    if (this.#gathering.record(from, fromIncarnation, join)) this.#decide();
  }

  /** A LEAVE arrived: its sender stops. */
  leaveArrived(from: NodeIndex, fromIncarnation: Incarnation): void {
    this.#incarnations.retire(from, fromIncarnation);
    const ring = this.future ?? this.#installer.ring;
    if (this.state === RingState.Gather) {
      this.#gathering.forget(from);
      this.#decide();
    } else if (ring.incarnationOf(from) === fromIncarnation || this.#committed.has(from)) {
      this.enterGather();
    }
  }

  commitArrived(header: RingHeader, commit: CommitMessage): void {
    const { self, options, counters } = this.#context;
    const { members } = commit;
    const place = members.findIndex(({ node }) => node === self);
    const me = members[place];
    const before = members[(place + members.length - 1) % members.length]!;
    const isForMe =
      me !== undefined &&
      me.incarnation === options.incarnation &&
      me.attempt === this.#gathering.attempt &&
      before.node === header.relay &&
      before.incarnation === header.incarnation;
    if (!isForMe) {
      counters[RingCounter.Stale]++;
      return;
    }
    const current = this.#exchange.current;
    const isCurrent = current !== null && sameRing(current.ring, commit.ring);
    if (isCurrent && place === 0) this.#commitReturned(commit);
    else if (isCurrent) this.#commitAgain(current, commit);
    else if (this.state === RingState.Gather && commit.pass === 1 && commit.ring.seq > this.#gathering.maxRingSeq) {
      if (this.acceptsNumber(commit.ring.seq, nodeIndex(header.relay))) this.#joinCommit(commit);
    } else counters[RingCounter.Stale]++;
  }

  /** To be called after tokens were handled: members that keep the ring from going on are left out, and a used up ring ends. */
  checkProgress(): void {
    if (this.state === RingState.Recover) {
      if (this.#link.lastHop > 0 || this.#link.hasSent) this.#exchange.arrived();
      const stalled = this.#recovery.stalledMember;
      if (stalled >= 0) this.exclude(nodeIndex(stalled));
    } else if (this.state === RingState.Operational && this.#installer.ring.size > 1) {
      const stalled = this.#ordering.stalledMember;
      if (stalled >= 0) this.exclude(nodeIndex(stalled));
      else if (this.#ordering.isUsedUp && this.#installer.ring.isLeader) this.enterGather();
    }
  }

  tick(): void {
    const { nowMs, counters } = this.#context;
    if (this.#link.isLost) {
      counters[RingCounter.TokenLosses]++;
      this.enterGather();
      return;
    }
    this.#link.tick();
    this.checkProgress();
    this.#exchange.tick();
    if (this.state === RingState.Commit && this.#commitUntilMs <= nowMs) this.enterGather();
    if (this.state !== RingState.Gather) return;
    this.#gathering.tick();
    this.#decide();
  }

  stop(): void {
    this.#desk.stop();
    this.#link.stop();
    this.#exchange.stop();
    this.#merging.stop();
    this.#paths.stop();
    this.#commitUntilMs = NEVER;
    this.#setState(RingState.Stopped);
  }

  #setState(state: RingState): void {
    this.state = state;
    this.#context.counters[RingCounter.State] = state;
    if (state !== RingState.Gather) this.#gathering.stop();
  }

  #decide(): void {
    if (this.state !== RingState.Gather) return;
    const outcome = this.#gathering.decide();
    if (outcome?.kind === 'form') this.#form(outcome.members);
    else if (outcome?.kind === 'again') this.enterGather();
  }

  /** Leads: makes the COMMIT, or installs at once when it is alone. */
  #form(members: readonly RingMember[]): void {
    const { options, self, nowMs, wallSeconds } = this.#context;
    const gathering = this.#gathering;
    if (options.forgetsRingSeq === true && !this.#hasStepped && gathering.maxRingSeq !== this.#ownRingSeq) {
      this.#hasStepped = true;
      gathering.maxRingSeq += unstoredRingSeqStep(this.#context.random());
    }
    gathering.maxRingSeq = Math.max(gathering.maxRingSeq + 1, clockFloor(wallSeconds));
    this.#ownRingSeq = gathering.maxRingSeq;
    const ring: RingId = { seq: gathering.maxRingSeq, leader: self, leaderIncarnation: options.incarnation };
    if (members.length === 1) {
      this.#installer.installAlone(ring, blockOf(self, this.#holdings()));
      this.#operational(false);
      return;
    }
    const commit: CommitMessage = {
      ring,
      pass: 1,
      members: members.map((member) => ({
        ...member,
        attempt: gathering.attemptOf(member.node),
        block: -1,
      })),
      blocks: [],
    };
    fillIn(commit, self, this.#holdings(), this.#size.capacity);
    this.#enterCommit(commit, nowMs + options.timeouts.commitMs);
  }

  #joinCommit(commit: CommitMessage): void {
    const { self, nowMs, options } = this.#context;
    this.#gathering.maxRingSeq = commit.ring.seq;
    if (!fillIn(commit, self, this.#holdings(), this.#size.capacity)) return;
    this.#enterCommit(commit, nowMs + options.timeouts.commitMs);
  }

  #enterCommit(commit: CommitMessage, untilMs: number): void {
    this.#committed = new Map(commit.members.map((member) => [member.node, member]));
    this.#setState(RingState.Commit);
    this.#commitUntilMs = untilMs;
    this.#exchange.pass(commit);
  }

  /** At the leader: the first pass is complete, or all know the result. */
  #commitReturned(commit: CommitMessage): void {
    if (this.state === RingState.Commit && commit.pass === 1 && this.#isSound(commit)) {
      commit.pass = 2;
      this.#recover(commit);
    } else if (this.state === RingState.Recover && commit.pass === 2 && !this.#link.hasSent) {
      this.#exchange.arrived();
      this.#desk.create();
    }
  }

  /** At a member that has sent this COMMIT on already: the second pass, or a copy. */
  #commitAgain(current: CommitMessage, commit: CommitMessage): void {
    if (this.state === RingState.Commit && commit.pass === 2) {
      if (this.#isSound(commit)) this.#recover(commit);
    } else if (commit.pass === current.pass && !this.#link.hasSent) {
      this.#exchange.again();
    }
  }

  #isSound(commit: CommitMessage): boolean {
    const mine = commit.members.find(({ node }) => node === this.#context.self);
    const block = commit.blocks[mine?.block ?? -1];
    return isComplete(commit) && block !== undefined && isSound(block, this.#holdings());
  }

  #recover(commit: CommitMessage): void {
    const { self, nodeCount } = this.#context;
    this.#exchange.pass(commit);
    this.#commitUntilMs = NEVER;
    this.#setState(RingState.Recover);
    this.future = new RingMembers(commit.ring, commit.members, self, nodeCount);
    this.#installer.nextStore.reset();
    this.#recovery.begin(commit, this.future, this.#installer.ring, this.#installer.store);
    this.#link.begin(this.future);
    this.#desk.begin(this.future, this.#recovery);
  }

  #install(token: Token): void {
    const next = this.future!;
    this.#installer.install(next, this.#recovery.block, this.#recovery.transitional);
    this.#ordering.begin(next, this.#installer.store);
    this.#desk.handOver(this.#ordering);
    this.#exchange.stop();
    this.#operational(false);
    this.#ordering.visitInstalling(token);
  }

  #operational(isFirst: boolean): void {
    const ring = this.#installer.ring;
    this.future = null;
    this.#committed = NOBODY;
    this.#setState(RingState.Operational);
    this.#incarnations.installed(ring.members);
    this.#merging.installed(ring, this.#gathering.merge, isFirst);
    this.#gathering.installed();
    this.#paths.installed(ring);
    if (ring.size === 1) {
      this.#desk.stop();
      this.#link.stop();
    }
  }

  #holdings(): Holdings {
    const { ring, store, obligations } = this.#installer;
    return {
      oldRing: ring.id,
      stable: store.stable,
      high: store.highSeq,
      aru: store.myAru,
      reach: store.discarded + store.capacity,
      has: (seq) => store.has(seq),
      obligations,
    };
  }
}
