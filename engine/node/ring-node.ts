/**
 * One daemon's place in the ring: takes in datagrams and the time, and moves ordering and membership on. Nothing from the
 * network makes it throw (EVS-23): what is malformed, stale or foreign is counted and dropped (ring-protocol.md, 3.10).
 */

import { NodeContext } from '../host/node-context.ts';
import { RingCounter, RingState } from '../host/ring-counters.ts';
import type { RingHost } from '../host/ring-host.ts';
import type { RingNodeOptions, RingWindows } from '../host/ring-options.ts';
import { Greeter, GreetingEffect } from '../membership/greeter.ts';
import { Incarnations } from '../membership/incarnations.ts';
import { Installer } from '../membership/installer.ts';
import { Membership } from '../membership/membership.ts';
import { MergingRings } from '../membership/merging.ts';
import { RunRefusals } from '../membership/run-refusals.ts';
import { type ControlBody, ControlInbox } from '../ring/control-inbox.ts';
import { takeData } from '../ring/data-intake.ts';
import { Delivery } from '../ring/delivery.ts';
import { Emitter, TO_ALL } from '../ring/emitter.ts';
import { FlowControl, windowsProblem } from '../ring/flow-control.ts';
import { Ordering } from '../ring/ordering.ts';
import { type StoreSize, storeSize } from '../ring/packet-store.ts';
import { PathSize } from '../ring/path-size.ts';
import { Retransmission } from '../ring/retransmission.ts';
import { clockFloor } from '../ring/ring-seq-limits.ts';
import { SingleRing } from '../ring/single-ring.ts';
import { TokenDesk } from '../ring/token-desk.ts';
import { TokenLink } from '../ring/token-link.ts';
import { SealRefusal } from '../seal/seal-trailer.ts';
import { incarnation, nodeIndex } from '../wire/ids.ts';
import { BodyReader } from '../wire/ring-body.ts';
import { readU16, readU32 } from '../wire/ring-bytes.ts';
import {
  AT_CLUSTER,
  AT_TRANSMITTER,
  DATA_HEADER_LENGTH,
  isHeaderOfRing,
  PacketType,
  RING_HEADER_LENGTH,
  RingHeader,
  readRingHeader,
} from '../wire/ring-header.ts';
import { decodeCommit, decodeJoin, decodeProbe } from '../wire/ring-membership.ts';
import type { RingNodeContract } from './ring-node-contract.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** After the loop was away, what waits in the sockets is taken in for this long before timers are judged. */
const PAUSE_GRACE_MS = 2;
/** LEAVE is not answered, so it is sent twice. */
const LEAVE_COPIES = 2;

export class RingNode implements RingNodeContract {
  readonly counters: Float64Array;
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #single: SingleRing;
  readonly #size: StoreSize;
  readonly #installer: Installer;
  readonly #ordering: Ordering;
  readonly #flow: FlowControl;
  readonly #link: TokenLink;
  readonly #desk: TokenDesk;
  readonly #merging: MergingRings;
  readonly #paths: PathSize;
  readonly #membership: Membership;
  readonly #incarnations: Incarnations;
  readonly #greeter: Greeter;
  readonly #refusals: RunRefusals;
  readonly #inbox = new ControlInbox();
  readonly #header = new RingHeader();
  readonly #reader = new BodyReader();
  /** Of a ring of one: more records wait than one call handles. */
  #moreQueued = false;
  /** A call is under way, perhaps inside one of the host's callbacks. */
  #isBusy = false;
  #installedBefore = 0;
  /** `wake` was called meanwhile. */
  #wakeAgain = false;
  /** When the timers are judged again after a pause; NEVER when there was none. */
  #judgeAtMs = NEVER;
  /** Timers up to here were late because of a pause that is over. */
  #pauseEndedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RingNodeOptions, host: RingHost) {
    const context = new NodeContext(options, host);
    this.#context = context;
    this.counters = context.counters;
    this.#emitter = new Emitter(context);
    const slotBytes = context.largestDatagramBytes - DATA_HEADER_LENGTH;
    this.#size = storeSize(options.windows.window, slotBytes);
    const delivery = new Delivery(context);
    const flow = new FlowControl(options.windows);
    this.#flow = flow;
    const retransmission = new Retransmission(context, this.#emitter);
    this.#link = new TokenLink(context, this.#emitter);
    this.#paths = new PathSize(context, this.#emitter);
    this.#desk = new TokenDesk(context, this.#link);
    this.#incarnations = new Incarnations(context);
    this.#refusals = new RunRefusals(context, this.#emitter, this.#incarnations);
    this.#merging = new MergingRings(context, this.#emitter, this.#incarnations);
    this.#single = new SingleRing(options.self, host, context.counters);
    this.#installer = new Installer(context, delivery, this.#single, this.#size, slotBytes);
    this.#ordering = new Ordering(
      context,
      this.#emitter,
      delivery,
      retransmission,
      flow,
      this.#link,
      this.#paths,
      this.#installer.store,
      this.#size,
    );
    this.#membership = new Membership(context, this.#emitter, {
      ordering: this.#ordering,
      link: this.#link,
      desk: this.#desk,
      size: this.#size,
      installer: this.#installer,
      incarnations: this.#incarnations,
      merging: this.#merging,
      paths: this.#paths,
      retransmission,
      flow,
    });
    this.#merging.attach(this.#membership);
    this.#greeter = new Greeter(context, this.#emitter);
  }

  start(nowMs: number, wallSeconds: number): void {
    this.#isBusy = true;
    this.#context.startedAtMs = nowMs;
    this.#context.nowMs = nowMs;
    this.#context.wallSeconds = wallSeconds;
    this.#membership.start(Math.max((this.#context.options.ringSeqFloor ?? 0) + 1, clockFloor(wallSeconds)));
    this.#endCall();
  }

  get nextDeadlineMs(): number {
    if (this.#membership.state === RingState.Stopped) return NEVER;
    if (this.#judgeAtMs !== NEVER) return this.#judgeAtMs;
    if (this.#wakeAgain || (this.#moreQueued && this.#isSingle)) return this.#context.nowMs;
    return Math.min(
      this.#desk.nextDeadlineMs,
      this.#link.nextDeadlineMs,
      this.#membership.nextDeadlineMs,
      this.#paths.nextDeadlineMs,
      this.#greeter.nextDeadlineMs,
    );
  }

  receive(nowMs: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    if (this.#membership.state === RingState.Stopped) return;
    this.#notePause(nowMs);
    this.#context.nowMs = nowMs;
    if (lengthBytes >= RING_HEADER_LENGTH) this.#greeter.before(readU16(bytes, offset + AT_TRANSMITTER));
    const length = this.#context.sealer.open(bytes, offset, lengthBytes);
    if (length < 0) {
      this.#refused(-length, bytes, offset);
      return;
    }
    const header = this.#header;
    const verdict = readRingHeader(header, bytes, offset, length, this.#context.cluster);
    if (verdict !== 'ok') {
      this.counters[verdict === 'foreign' ? RingCounter.ForeignCluster : RingCounter.Malformed]++;
      return;
    }
    const { nodeCount, self } = this.#context;
    if (header.origin >= nodeCount || header.relay >= nodeCount) {
      this.counters[RingCounter.Malformed]++;
    } else if (header.relay !== self) {
      this.#isBusy = true;
      this.#dispatch(header, bytes, offset, length);
      this.#endCall();
    } else if (header.incarnation !== this.#context.options.incarnation) {
      this.#incarnations.ownIdHeard();
    }
  }

  tick(nowMs: number, wallSeconds: number): void {
    if (this.#membership.state === RingState.Stopped) return;
    this.#notePause(nowMs);
    this.#context.nowMs = nowMs;
    this.#context.wallSeconds = wallSeconds;
    if (nowMs < this.#judgeAtMs && this.#judgeAtMs !== NEVER) return;
    if (this.#judgeAtMs !== NEVER) {
      this.#judgeAtMs = NEVER;
      this.#pauseEndedMs = nowMs;
    }
    this.#isBusy = true;
    this.#desk.tick();
    this.#membership.tick();
    this.#merging.tick();
    this.#paths.tick();
    this.#greeter.tick();
    if (this.#isSingle) this.#deliverSingle();
    this.#endCall();
  }

  wake(nowMs: number): void {
    if (this.#isBusy) {
      this.#wakeAgain = true;
      return;
    }
    if (this.#membership.state !== RingState.Operational) return;
    if (nowMs > this.#context.nowMs) {
      this.#notePause(nowMs);
      this.#context.nowMs = nowMs;
    }
    this.#isBusy = true;
    this.#work();
    this.#isBusy = false;
  }

  /** The host's callbacks may have brought new work: it is begun here, once, and goes on with the next call. */
  #endCall(): void {
    const installed = this.counters[RingCounter.MembershipChanges]!;
    if (installed !== this.#installedBefore) {
      this.#installedBefore = installed;
      this.#greeter.installed(this.#installer.ring.members);
      this.#moreQueued = true;
    }
    if (this.#wakeAgain) {
      this.#wakeAgain = false;
      if (this.#membership.isOperational) this.#work();
    }
    this.#isBusy = false;
  }

  /** Delivers and originates what can be without waiting for a token, or asks for the token. */
  #work(): void {
    if (this.#isSingle) {
      this.#deliverSingle();
      return;
    }
    this.#ordering.deliver();
    if (!this.#ordering.workWaits) return;
    if (this.#desk.isHolding) this.#desk.release();
    else if (this.#ordering.mayBeHeld) this.#link.hurry();
  }

  /**
   * Flow control from the next visit of the token on.
   * @throws RangeError when `windowsProblem` finds one
   */
  setWindows(windows: RingWindows): void {
    const problem = windowsProblem(windows, this.#context.options.windows);
    if (problem !== null) throw new RangeError(problem);
    this.#flow.setWindows(windows);
  }

  keysChanged(nowMs: number): void {
    if (this.#membership.state === RingState.Stopped) return;
    this.#context.nowMs = Math.max(nowMs, this.#context.nowMs);
    this.#greeter.keysChanged();
  }

  leave(nowMs: number): void {
    if (this.#membership.state === RingState.Stopped) return;
    this.#context.nowMs = nowMs;
    if (!this.#isSingle) {
      for (let copy = 0; copy < LEAVE_COPIES; copy++) {
        this.#emitter.bare(PacketType.Leave, this.#installer.ring.id, TO_ALL);
      }
    }
    this.#membership.stop();
  }

  /** Nothing that this daemon has sent could be lost with it. False during a change of membership. */
  get isSettled(): boolean {
    return this.#membership.isOperational && !this.mayLoseSent;
  }

  /** Something that this daemon has sent is not known to be held by every member of its ring. */
  get mayLoseSent(): boolean {
    return this.#isSingle ? this.#moreQueued : !this.#ordering.isSettled;
  }

  get #isSingle(): boolean {
    return this.#installer.ring.size === 1 && this.#membership.isOperational;
  }

  #deliverSingle(): void {
    this.#moreQueued = this.#single.deliverQueued();
  }

  /**
   * If the loop was away for so long that others may think this daemon dead, what waits in the sockets is taken in before
   * timers are judged: they may say that nothing was lost.
   */
  #notePause(nowMs: number): void {
    if (this.#judgeAtMs !== NEVER) return;
    const dueMs = Math.max(this.nextDeadlineMs, this.#pauseEndedMs);
    if (nowMs - dueMs <= this.#context.options.timeouts.tokenLossMs / 2) return;
    this.counters[RingCounter.Pauses]++;
    this.#judgeAtMs = nowMs + PAUSE_GRACE_MS;
  }

  #dispatch(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    switch (header.type) {
      case PacketType.Data:
        this.#dataArrived(header, bytes, offset, lengthBytes);
        return;
      case PacketType.Token:
        this.#tokenArrived(header, bytes, offset, lengthBytes);
        return;
      case PacketType.Hurry:
        this.#hurryArrived(header);
        return;
      case PacketType.Leave:
        if (this.#incarnations.isStale(header.relay, header.incarnation)) this.#incarnations.staleHeard(header.relay);
        else this.#membership.leaveArrived(nodeIndex(header.relay), incarnation(header.incarnation));
        return;
      case PacketType.Join:
      case PacketType.Commit:
      case PacketType.Probe:
      case PacketType.ProbeAck:
      case PacketType.Merge:
      case PacketType.RunRefused:
        this.#controlArrived(header, bytes, offset, lengthBytes);
        return;
      case PacketType.SizeProbe:
      case PacketType.SizeAck:
      case PacketType.SizeReady:
      case PacketType.SizeWithdrawn:
        if (isHeaderOfRing(header, this.#installer.ring.id)) this.#paths.arrived(header);
        else this.counters[RingCounter.Stale]++;
        return;
      case PacketType.Greeting:
        this.#greetingArrived(header, bytes, offset, lengthBytes);
        return;
      default:
        this.counters[RingCounter.Malformed]++;
    }
  }

  /** @param cause a `SealRefusal` where traffic is sealed; the sealer has counted it */
  #refused(cause: number, bytes: Uint8Array, offset: number): void {
    if (this.#context.sealer.runs === null) this.counters[RingCounter.Malformed]++;
    else if (cause === SealRefusal.UnknownRun) {
      const isForeign = readU32(bytes, offset + AT_CLUSTER) !== this.#context.cluster;
      if (isForeign) this.counters[RingCounter.ForeignCluster]++;
      else this.#greeter.unknownHeard(readU16(bytes, offset + AT_TRANSMITTER));
    }
  }

  #greetingArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const effect = this.#greeter.arrived(header, bytes, offset, lengthBytes);
    if (effect === GreetingEffect.Malformed) this.counters[RingCounter.Malformed]++;
    if (effect !== GreetingEffect.Asked) return;
    // What was sent there before was not heard.
    if (this.#membership.isOperational) this.#merging.askedBy(nodeIndex(header.relay));
    else this.#membership.joinAgain();
  }

  #dataArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const { ring, store, nextStore } = this.#installer;
    const { future } = this.#membership;
    const reach = this.#size.gap + this.#context.options.windows.window;
    if (lengthBytes < DATA_HEADER_LENGTH) {
      this.counters[RingCounter.Malformed]++;
    } else if (isHeaderOfRing(header, ring.id)) {
      const seq = takeData(this.counters, ring, store, reach, header, bytes, offset, lengthBytes);
      if (seq > 0 && this.#membership.isOperational) this.#ordering.dataTaken(seq);
      this.#desk.dataArrived(header, bytes, offset);
      this.#membership.checkProgress();
    } else if (future !== null && isHeaderOfRing(header, future.id)) {
      takeData(this.counters, future, nextStore, reach, header, bytes, offset, lengthBytes);
      this.#link.dataArrived(false);
    } else {
      this.#foreign();
    }
  }

  #tokenArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const { state, future } = this.#membership;
    const awaited = state === RingState.Recover ? future : this.#installer.ring;
    const handlesTokens = state === RingState.Recover || state === RingState.Operational;
    if (awaited === null || !isHeaderOfRing(header, awaited.id)) {
      this.#foreign();
    } else if (!handlesTokens) {
      // Once given up, a ring is never helped again.
      this.counters[RingCounter.Stale]++;
    } else {
      this.#desk.arrived(header, bytes, offset, lengthBytes);
      this.#membership.checkProgress();
    }
  }

  #hurryArrived(header: RingHeader): void {
    const { ring } = this.#installer;
    if (!this.#membership.isOperational || !ring.isLeader || !isHeaderOfRing(header, ring.id)) {
      this.counters[RingCounter.Stale]++;
      return;
    }
    if (this.#desk.isHolding) {
      this.#desk.release();
      return;
    }
    this.#ordering.tokenWanted();
    this.#link.hurried();
  }

  #foreign(): void {
    this.counters[RingCounter.ForeignRing]++;
    this.#merging.foreignHeard();
  }

  #controlArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const body = this.#inbox.accept(header, bytes, offset, lengthBytes);
    if (body === null) return;
    const { options, nodeCount } = this.#context;
    const reader = this.#reader;
    if (body !== undefined) reader.open(body.bytes, body.offset, body.lengthBytes);
    if (body === undefined || !reader.equals(options.clusterHash)) {
      this.counters[reader.ok && body !== undefined ? RingCounter.ForeignCluster : RingCounter.Malformed]++;
      return;
    }
    const from = nodeIndex(header.relay);
    if (this.#incarnations.isStale(from, header.incarnation)) {
      this.#incarnations.staleHeard(from);
      this.#refusals.staleHeard(from, header.incarnation);
      return;
    }
    this.#incarnations.learn(from, header.incarnation);
    if (!this.#controlRead(header, body, nodeCount)) this.counters[RingCounter.Malformed]++;
  }

  /** @returns false for a body that is malformed */
  #controlRead(header: RingHeader, body: ControlBody, nodeCount: number): boolean {
    switch (header.type) {
      case PacketType.Join:
        return this.#joinArrived(header);
      case PacketType.Commit:
        return this.#commitArrived(header);
      case PacketType.RunRefused:
        return this.#refusals.arrived(header.relay, this.#reader);
      default:
        return this.#probeArrived(header, body, nodeCount);
    }
  }

  #joinArrived(header: RingHeader): boolean {
    const join = decodeJoin(this.#reader, this.#context.nodeCount);
    if (join === null) return false;
    // JOINs that waited through a pause speak of a time that is over.
    if (this.#judgeAtMs !== NEVER) this.counters[RingCounter.Stale]++;
    else this.#membership.joinArrived(nodeIndex(header.relay), incarnation(header.incarnation), join);
    return true;
  }

  #commitArrived(header: RingHeader): boolean {
    const commit = decodeCommit(this.#reader, this.#context.nodeCount, this.#size.capacity);
    if (commit === null) return false;
    this.#membership.commitArrived(header, commit);
    return true;
  }

  #probeArrived(header: RingHeader, body: ControlBody, nodeCount: number): boolean {
    const probe = decodeProbe(this.#reader, nodeCount);
    if (probe === null) return false;
    if (header.type === PacketType.Probe) this.#merging.probeArrived(header, probe, body);
    else if (header.type === PacketType.ProbeAck) this.#merging.ackArrived(nodeIndex(header.origin), probe);
    else this.#merging.mergeArrived(nodeIndex(header.origin), probe);
    return true;
  }
}
