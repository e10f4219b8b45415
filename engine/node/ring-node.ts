/**
 * One daemon's place in the ring: takes in datagrams and the time, and moves ordering and membership on. Nothing from the
 * network makes it throw (EVS-23).
 */

import { RingCounter, RingState } from '../host/ring-counters.ts';
import type { RingHost } from '../host/ring-host.ts';
import type { RingNodeOptions, RingWindows } from '../host/ring-options.ts';
import { TO_ALL } from '../ring/emitter.ts';
import { windowsProblem } from '../ring/flow-control.ts';
import { clockFloor } from '../ring/ring-seq-limits.ts';
import { PacketType } from '../wire/ring-header.ts';
import { RING_WIRE_VERSION, wireVersionOf } from '../wire/ring-version.ts';
import { PacketReceiver } from './packet-receiver.ts';
import type { RingNodeContract } from './ring-node-contract.ts';
import { createRingParts, type RingParts } from './ring-parts.ts';

/** A version has 8 bits. */
const WIRE_VERSIONS = 256;
const NEVER = Number.POSITIVE_INFINITY;
/** LEAVE is not answered, so it is sent twice. */
const LEAVE_COPIES = 2;

export class RingNode implements RingNodeContract {
  readonly counters: Float64Array;
  readonly #parts: RingParts;
  /** By wire version; those of versions that are not understood are missing. */
  readonly #receivers: readonly (PacketReceiver | undefined)[];
  /** Of a ring of one: more records wait than one call handles. */
  #moreQueued = false;
  /** A call is under way, perhaps inside one of the host's callbacks. */
  #isBusy = false;
  #installedBefore = 0;
  /** `wake` was called meanwhile. */
  #wakeAgain = false;

  constructor(options: RingNodeOptions, host: RingHost) {
    this.#parts = createRingParts(options, host);
    const receivers = new Array<PacketReceiver | undefined>(WIRE_VERSIONS).fill(undefined);
    receivers[RING_WIRE_VERSION] = new PacketReceiver(this.#parts);
    this.#receivers = receivers;
    this.counters = this.#parts.context.counters;
  }

  start(nowMs: number, wallSeconds: number): void {
    const { context, membership } = this.#parts;
    this.#isBusy = true;
    context.startedAtMs = nowMs;
    context.nowMs = nowMs;
    context.wallSeconds = wallSeconds;
    membership.start(Math.max((context.options.ringSeqFloor ?? 0) + 1, clockFloor(wallSeconds)));
    this.#endCall();
  }

  get nextDeadlineMs(): number {
    const { context, desk, proofs, link, membership, paths, pauses } = this.#parts;
    if (membership.state === RingState.Stopped) return NEVER;
    if (pauses.isOn) return pauses.judgeAtMs;
    if (this.#wakeAgain || (this.#moreQueued && this.#isSingle)) return context.nowMs;
    return Math.min(
      desk.nextDeadlineMs,
      link.nextDeadlineMs,
      membership.nextDeadlineMs,
      paths.nextDeadlineMs,
      proofs.nextDeadlineMs,
    );
  }

  receive(nowMs: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    if (this.#parts.membership.state === RingState.Stopped) return;
    this.#notePause(nowMs);
    this.#parts.context.nowMs = nowMs;
    const receiver = this.#receivers[wireVersionOf(bytes, offset, lengthBytes)];
    if (receiver === undefined) {
      this.counters[RingCounter.Malformed]++;
      return;
    }
    const length = receiver.open(bytes, offset, lengthBytes);
    if (length < 0) return;
    this.#isBusy = true;
    receiver.dispatch(bytes, offset, length);
    this.#endCall();
  }

  tick(nowMs: number, wallSeconds: number): void {
    const { context, desk, proofs, membership, merging, paths, pauses } = this.#parts;
    if (membership.state === RingState.Stopped) return;
    this.#notePause(nowMs);
    context.nowMs = nowMs;
    context.wallSeconds = wallSeconds;
    if (!pauses.mayJudge(nowMs)) return;
    this.#isBusy = true;
    desk.tick();
    membership.tick();
    merging.tick();
    paths.tick();
    proofs.tick();
    if (this.#isSingle) this.#deliverSingle();
    this.#endCall();
  }

  wake(nowMs: number): void {
    if (this.#isBusy) {
      this.#wakeAgain = true;
      return;
    }
    if (this.#parts.membership.state !== RingState.Operational) return;
    if (nowMs > this.#parts.context.nowMs) {
      this.#notePause(nowMs);
      this.#parts.context.nowMs = nowMs;
    }
    this.#isBusy = true;
    this.#work();
    this.#isBusy = false;
  }

  /** The host's callbacks may have brought new work: it is begun here, once, and continues with the next call. */
  #endCall(): void {
    const installed = this.counters[RingCounter.MembershipChanges]!;
    if (installed !== this.#installedBefore) {
      this.#installedBefore = installed;
      this.#parts.proofs.installed(this.#parts.installer.ring.members);
      this.#moreQueued = true;
    }
    if (this.#wakeAgain) {
      this.#wakeAgain = false;
      if (this.#parts.membership.isOperational) this.#work();
    }
    this.#isBusy = false;
  }

  /** Delivers and originates what can be without waiting for a token, or asks for the token. */
  #work(): void {
    if (this.#isSingle) {
      this.#deliverSingle();
      return;
    }
    const { desk, link, ordering } = this.#parts;
    ordering.deliver();
    if (!ordering.workWaits) return;
    if (desk.isHolding) desk.release();
    else if (ordering.mayBeHeld) link.hurry();
  }

  /**
   * Flow control from the next visit of the token on.
   * @throws RangeError when `windowsProblem` finds one
   */
  setWindows(windows: RingWindows): void {
    const problem = windowsProblem(windows, this.#parts.context.options.windows);
    if (problem !== null) throw new RangeError(problem);
    this.#parts.flow.setWindows(windows);
  }

  keysChanged(nowMs: number): void {
    if (this.#parts.membership.state === RingState.Stopped) return;
    this.#parts.context.nowMs = Math.max(nowMs, this.#parts.context.nowMs);
    this.#parts.proofs.keysChanged();
  }

  leave(nowMs: number): void {
    if (this.#parts.membership.state === RingState.Stopped) return;
    this.#parts.context.nowMs = nowMs;
    if (!this.#isSingle) {
      for (let copy = 0; copy < LEAVE_COPIES; copy++) {
        this.#parts.emitter.bare(PacketType.Leave, this.#parts.installer.ring.id, TO_ALL);
      }
    }
    this.#parts.membership.stop();
  }

  /** Nothing that this daemon has sent could be lost with it. False during a change of membership. */
  get isSettled(): boolean {
    return this.#parts.membership.isOperational && !this.mayLoseSent;
  }

  /** Something that this daemon has sent is not known to be held by every member of its ring. */
  get mayLoseSent(): boolean {
    return this.#isSingle ? this.#moreQueued : !this.#parts.ordering.isSettled;
  }

  get #isSingle(): boolean {
    return this.#parts.installer.ring.size === 1 && this.#parts.membership.isOperational;
  }

  #deliverSingle(): void {
    this.#moreQueued = this.#parts.single.deliverQueued();
  }

  #notePause(nowMs: number): void {
    this.#parts.pauses.note(nowMs, this.nextDeadlineMs);
  }
}
