/** A client program: sends, joins, leaves, disconnects and reconnects at random, from its own stream. */
import { FRAME_HEADER_LENGTH } from '../../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import type { Random } from '../core/random.ts';
import { MAX_RUN_BYTES } from '../scenario/delivery-plan.ts';
import type { ClientPlan } from '../scenario/scenario.ts';
import type { MessageId } from '../trace/trace.ts';
import type { Connection } from './connection.ts';
import type { DaemonProcess } from './daemon-process.ts';
import type { GroupService } from './group-service.ts';
import { joinRecord, leaveRecord, type MulticastFrame, runRecord } from './records.ts';

/** A daemon with that many bytes in its send queue has stopped reading from its clients. */
const READ_BYTES = 60_000;
/** Between two looks of a resident at whether its daemon is still the same. */
const SETTLED_PAUSE_MS = 100;
const LONGEST_STALL_MS = 300;
const SELF_DISCARD_CHANCE = 0.1;
const MANY_TARGETS_CHANCE = 0.2;
/** In one breath: what it does at least and at most, and how often that is joining or leaving. */
const FEWEST_DEEDS = 3;
const MOST_DEEDS = 12;
const BREATH_CHURN = 0.4;
const LAST_BREATH_CHANCE = 0.1;

/** What was multicast, for the group properties. */
export interface MulticastLog {
  multicast(message: MessageId, connection: Connection | null, frame: MulticastFrame): void;
}

export class VirtualClient {
  readonly plan: ClientPlan;
  readonly #random: Random;
  readonly #log: MulticastLog;
  #connection: Connection | null = null;
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
      this.#connection = null;
    }
    if (process.queue.lengthBytes > READ_BYTES) return false;
    if (groups === null) {
      this.#multicast(process);
      return true;
    }
    if (this.#connection?.isOver === true) this.#connection = null;
    if (this.#connection === null) {
      this.#connection = groups.connect(this.plan.name, this.plan.wantsViews);
      return false;
    }
    if (this.#connection.trace === null || !groups.readsClients) return false;
    return this.#actInGroups(process, this.#connection, groups);
  }

  /** A resident that is in all its groups has nothing more to do. */
  get #isSettled(): boolean {
    return this.plan.resident === true && this.#connection?.wished.size === this.plan.groups.length;
  }

  #actInGroups(process: DaemonProcess, connection: Connection, groups: GroupService): boolean {
    if (this.plan.resident === true) return this.#settle(process, connection, groups);
    const random = this.#random;
    const { breath, reconnect, churn, stalls } = this.plan;
    if (stalls > 0 && random.chance(stalls)) groups.stall(connection, random.logarithmic(1, LONGEST_STALL_MS));
    if (breath !== undefined && random.chance(breath)) this.#actInOneBreath(process, connection, groups);
    else if (random.chance(reconnect)) this.#hangUp(connection, groups);
    else if (connection.wished.size === 0 || random.chance(churn)) this.#joinOrLeave(process, connection, groups);
    else this.#multicast(process);
    return true;
  }

  #actInOneBreath(process: DaemonProcess, connection: Connection, groups: GroupService): void {
    const random = this.#random;
    for (let i = random.integer(FEWEST_DEEDS, MOST_DEEDS); i > 0; i--) {
      if (random.chance(BREATH_CHURN)) this.#joinOrLeave(process, connection, groups);
      else this.#multicast(process);
    }
    if (random.chance(LAST_BREATH_CHANCE)) this.#hangUp(connection, groups);
  }

  /** The client reconnects later under the same name. */
  #hangUp(connection: Connection, groups: GroupService): void {
    groups.disconnect(connection);
    this.#connection = null;
  }

  #joinOrLeave(process: DaemonProcess, connection: Connection, groups: GroupService): void {
    const group = this.#random.pick(this.plan.groups);
    const leaves = connection.wished.delete(group);
    if (!leaves) connection.wished.add(group);
    groups.asked(connection, leaves ? 'leave-requested' : 'join-requested', group);
    const message = process.nextMessage();
    const { session, member } = connection;
    process.submit(
      leaves
        ? leaveRecord(message, session.handle, group, member)
        : joinRecord(message, session.handle, group, member, this.plan.wantsViews),
    );
  }

  #settle(process: DaemonProcess, connection: Connection, groups: GroupService): boolean {
    if (this.#isSettled) return false;
    const { session, member, wished } = connection;
    for (const group of this.plan.groups) {
      wished.add(group);
      groups.asked(connection, 'join-requested', group);
      process.submit(joinRecord(process.nextMessage(), session.handle, group, member, this.plan.wantsViews));
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
    const sender = this.#connection?.member ?? `#${plan.name}#n${plan.node}`;
    const handle = this.#connection?.session.handle ?? 1;
    let frames: MulticastFrame[] = [];
    let bytes = 0;
    for (let i = random.integer(1, plan.burst); i > 0; i--) {
      const message = process.nextMessage();
      const lengthBytes = random.integer(plan.minBytes, plan.maxBytes);
      const frameBytes = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH * groups.length + lengthBytes;
      if (bytes > 0 && bytes + frameBytes > MAX_RUN_BYTES) {
        process.submit(runRecord(handle, frames));
        frames = [];
        bytes = 0;
      }
      bytes += frameBytes;
      const frame: MulticastFrame = { message, sender, groups, service, selfDiscard, lengthBytes };
      this.#log.multicast(message, this.#connection, frame);
      frames.push(frame);
    }
    process.submit(runRecord(handle, frames));
  }
}
