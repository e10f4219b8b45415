/** A client program: sends, joins, leaves, hangs up and comes back, all drawn from a stream of its own. */
import type { Random } from '../core/random.ts';
import type { ClientPlan } from '../scenario/scenario.ts';
import type { MessageId } from '../trace/trace.ts';
import type { DaemonProcess } from './daemon-process.ts';
import type { ClientSession, GroupService } from './group-service.ts';
import { disconnectRecord, joinRecord, leaveRecord, type MulticastFrame, runRecord } from './records.ts';

/** A daemon with that many bytes in its send queue has stopped reading from its clients. */
const READ_BYTES = 60_000;
/** Between two looks of a resident at whether its daemon is still the same. */
const SETTLED_PAUSE_MS = 100;
const SELF_DISCARD_CHANCE = 0.1;
const MANY_TARGETS_CHANCE = 0.2;
/** In one breath: what it does at least and at most, and how often that is joining or leaving. */
const FEWEST_DEEDS = 3;
const MOST_DEEDS = 12;
const BREATH_CHURN = 0.4;
const LAST_BREATH_CHANCE = 0.1;

/** What was multicast, for the group properties. */
export interface MulticastLog {
  multicast(message: MessageId, session: ClientSession | null, frame: MulticastFrame): void;
}

export class VirtualClient {
  readonly plan: ClientPlan;
  readonly #random: Random;
  readonly #log: MulticastLog;
  #session: ClientSession | null = null;
  /** The process it is connected to. */
  #process: DaemonProcess | null = null;

  constructor(plan: ClientPlan, random: Random, log: MulticastLog) {
    this.plan = plan;
    this.#random = random;
    this.#log = log;
  }

  nextPauseMs(): number {
    if (this.#isSettled) return SETTLED_PAUSE_MS;
    return this.#random.exponential(this.plan.intervalMs);
  }

  /** @returns whether it gave the daemon anything */
  act(process: DaemonProcess, groups: GroupService | null): boolean {
    if (process !== this.#process) {
      this.#process = process;
      this.#session = null;
    }
    if (process.queue.lengthBytes > READ_BYTES) return false;
    if (groups === null) {
      this.#multicast(process);
      return true;
    }
    if (this.#session === null) {
      this.#session = groups.connect(this.plan.name, this.plan.wantsViews);
      return false;
    }
    return this.#actInGroups(process, this.#session, groups);
  }

  /** A resident that is in all its groups has nothing more to do. */
  get #isSettled(): boolean {
    return this.plan.resident === true && this.#session?.wished.size === this.plan.groups.length;
  }

  #actInGroups(process: DaemonProcess, session: ClientSession, groups: GroupService): boolean {
    if (this.plan.resident === true) return this.#settle(process, session, groups);
    const random = this.#random;
    const { breath, reconnect, churn } = this.plan;
    if (breath !== undefined && random.chance(breath)) this.#actInOneBreath(process, session, groups);
    else if (random.chance(reconnect)) this.#hangUp(process, session, groups);
    else if (session.wished.size === 0 || random.chance(churn)) this.#joinOrLeave(process, session, groups);
    else this.#multicast(process);
    return true;
  }

  #actInOneBreath(process: DaemonProcess, session: ClientSession, groups: GroupService): void {
    const random = this.#random;
    for (let i = random.integer(FEWEST_DEEDS, MOST_DEEDS); i > 0; i--) {
      if (random.chance(BREATH_CHURN)) this.#joinOrLeave(process, session, groups);
      else this.#multicast(process);
    }
    if (random.chance(LAST_BREATH_CHANCE)) this.#hangUp(process, session, groups);
  }

  /** The same name comes back later. */
  #hangUp(process: DaemonProcess, session: ClientSession, groups: GroupService): void {
    groups.disconnecting(session);
    process.submit(disconnectRecord(process.nextMessage(), session.handle, session.member));
    this.#session = null;
  }

  #joinOrLeave(process: DaemonProcess, session: ClientSession, groups: GroupService): void {
    const group = this.#random.pick(this.plan.groups);
    const leaves = session.wished.delete(group);
    if (!leaves) session.wished.add(group);
    groups.asked(session, leaves ? 'leave-requested' : 'join-requested', group);
    const message = process.nextMessage();
    process.submit(
      leaves
        ? leaveRecord(message, session.handle, group, session.member)
        : joinRecord(message, session.handle, group, session.member, this.plan.wantsViews),
    );
  }

  #settle(process: DaemonProcess, session: ClientSession, groups: GroupService): boolean {
    if (this.#isSettled) return false;
    for (const group of this.plan.groups) {
      session.wished.add(group);
      groups.asked(session, 'join-requested', group);
      const { handle, member } = session;
      process.submit(joinRecord(process.nextMessage(), handle, group, member, this.plan.wantsViews));
    }
    return true;
  }

  #multicast(process: DaemonProcess): void {
    const random = this.#random;
    const { plan } = this;
    const service = random.pick(plan.services);
    const selfDiscard = random.chance(SELF_DISCARD_CHANCE);
    const targets = random.chance(MANY_TARGETS_CHANCE) ? random.integer(2, Math.max(2, plan.groups.length)) : 1;
    const groups = random.sample(plan.groups, targets);
    const sender = this.#session?.member ?? `#${plan.name}#n${plan.node}`;
    const frames: MulticastFrame[] = [];
    for (let i = random.integer(1, plan.burst); i > 0; i--) {
      const message = process.nextMessage();
      const lengthBytes = random.integer(plan.minBytes, plan.maxBytes);
      const frame: MulticastFrame = { message, sender, groups, service, selfDiscard, lengthBytes };
      this.#log.multicast(message, this.#session, frame);
      frames.push(frame);
    }
    process.submit(runRecord(this.#session?.handle ?? 1, frames));
  }
}
