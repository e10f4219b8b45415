import type { DaemonAddress } from '../../../client/address.ts';
import type { DriverCommand, DriverFigures, DriverReply, DriverTask } from '../messages.ts';
import { Random } from '../random.ts';
import { BLOCK_HEADER_WORDS, BlockFlag, SESSION_ENDS } from '../records.ts';
import { homeOf, type SoakShape, soakShape } from '../shape.ts';
import { ClientSlot, type SlotHost } from './client-slot.ts';
import { MemberLists } from './member-lists.ts';
import type { SoakSession } from './soak-session.ts';
import { CLIENTS_OF_RATES, makeData, pickOwnGroup, planSend, RATES } from './workload.ts';

const TICK_MS = 20;
/** Work that a late tick makes up for, at most. */
const MAX_TICK_MS = 60;
/** Messages sent and not yet seen by the witness at which nothing more is sent: the machine does not keep up. */
const MAX_BACKLOG = 1_500;
const MAX_PENDING_BYTES = 256 * 1024;
const CONNECTING_AT_ONCE = 20;
const MAX_AWAY_MS = 1_000;
const QUIET_LIMIT_MS = 60_000;
const SERIALS_PER_DRIVER = 1 << 20;
const DISCONNECT = 2;

/** Makes a part of the clients do random things, and hands over what they saw, epoch by epoch. */
export class Driver implements SlotHost {
  readonly shape: SoakShape;
  readonly random: Random;
  readonly lists = new MemberLists();
  readonly daemonNames: readonly string[];
  readonly #task: DriverTask;
  readonly #slots: ClientSlot[] = [];
  readonly #witness: ClientSlot;
  /** Sessions with a trace in this epoch, by serial: those that are open, and those that ended. */
  readonly #sessions = new Map<number, SoakSession>();
  /** Ends of sessions, by name, that the witness has yet to see. */
  readonly #endsToSee = new Map<number, number>();
  readonly #budget = { messages: 0, joins: 0, leaves: 0, closes: 0, crashes: 0 };
  #figures = noFigures();
  #serial: number;
  #sentToWitness = 0;
  #seenByWitness = 0;
  #working = false;
  #disconnecting = false;
  #quietWaiter: (() => void) | undefined;

  constructor(task: DriverTask) {
    this.#task = task;
    this.daemonNames = task.daemonNames;
    this.shape = soakShape(task.clients, task.groups);
    this.random = new Random(task.seed * 7919 + task.driver);
    this.#serial = task.driver * SERIALS_PER_DRIVER;
    for (let client = task.driver; client < task.clients; client += task.drivers)
      this.#slots.push(new ClientSlot(this, client, this.#addressOf(client), false));
    const witness = task.clients + task.driver;
    this.#witness = new ClientSlot(this, witness, this.#addressOf(witness), true);
  }

  /** Runs commands until `disconnect`. */
  run(): Promise<void> {
    const { port } = this.#task;
    const stallTimer = this.#watchStalls();
    return new Promise((resolve) => {
      port.on('message', (command: DriverCommand) => {
        this.#obey(command).then(
          () => {
            if (command.kind !== 'disconnect') return;
            clearInterval(stallTimer);
            port.close();
            resolve();
          },
          (error: unknown) => this.#fail(error instanceof Error ? (error.stack ?? error.message) : String(error)),
        );
      });
    });
  }

  #watchStalls(): NodeJS.Timeout {
    let lastMs = performance.now();
    return setInterval(() => {
      const nowMs = performance.now();
      this.#figures.longestStallMs = Math.max(this.#figures.longestStallMs, nowMs - lastMs - TICK_MS);
      lastMs = nowMs;
    }, TICK_MS);
  }

  nextSerial(): number {
    return this.#serial++;
  }

  opened(session: SoakSession): void {
    this.#sessions.set(session.serial, session);
    this.#figures.connects++;
  }

  settled(tookMs: number): void {
    this.#figures.slowestConnectMs = Math.max(this.#figures.slowestConnectMs, tookMs);
  }

  ended(slot: ClientSlot, session: SoakSession, reason: string): void {
    if (SESSION_ENDS[session.end] !== 'lost' || this.#disconnecting) return;
    if (slot.session === session) slot.session = undefined;
    this.#fail(`client ${slot.client}: the daemon ended its session: ${reason}`);
  }

  delivered(lengthBytes: number): void {
    this.#figures.delivered++;
    this.#figures.deliveredBytes += lengthBytes;
  }

  messageSeen(session: SoakSession, senderSerial: number): void {
    const isOwn = Math.floor(senderSerial / SERIALS_PER_DRIVER) === this.#task.driver;
    if (isOwn && session === this.#witness.session) this.#seenByWitness++;
  }

  viewSeen(session: SoakSession, group: number, cause: number, changed: number): void {
    this.#figures.viewsReceived++;
    if (cause !== DISCONNECT || session !== this.#witness.session || group !== homeOf(this.shape, changed)) return;
    const left = this.#endsToSee.get(changed);
    if (left === undefined) return;
    if (left > 1) this.#endsToSee.set(changed, left - 1);
    else this.#endsToSee.delete(changed);
    if (this.#endsToSee.size === 0) this.#quietWaiter?.();
  }

  async #obey(command: DriverCommand): Promise<void> {
    switch (command.kind) {
      case 'connect':
        await this.#connectAll();
        this.#reply({ kind: 'connected' });
        return;
      case 'run':
        await this.#work(command.lengthMs);
        await withLimit(this.#quiet(), () => this.#unquietReason());
        this.#reply({ kind: 'quiet' });
        return;
      case 'flush':
        await withLimit(this.#markers(), () => this.#unquietReason());
        this.#handOver();
        return;
      case 'disconnect':
        await this.#disconnectAll();
        this.#reply({ kind: 'disconnected' });
    }
  }

  async #connectAll(): Promise<void> {
    this.#open(this.#witness, 0);
    await this.#witness.opening;
    for (let i = 0; i < this.#slots.length; i += CONNECTING_AT_ONCE) {
      const some = this.#slots.slice(i, i + CONNECTING_AT_ONCE);
      for (const slot of some) this.#open(slot, 0);
      await Promise.all(some.map((slot) => slot.opening));
    }
  }

  async #disconnectAll(): Promise<void> {
    this.#disconnecting = true;
    const closing = [this.#witness, ...this.#slots].map((slot) => slot.session?.session.close());
    await Promise.all(closing);
  }

  #open(slot: ClientSlot, delayMs: number): void {
    slot.open(delayMs, (reason) => this.#fail(reason));
  }

  #work(lengthMs: number): Promise<void> {
    this.#working = true;
    this.#sentToWitness = 0;
    this.#seenByWitness = 0;
    const startMs = performance.now();
    let lastMs = startMs;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const nowMs = performance.now();
        if (nowMs - startMs >= lengthMs) {
          clearInterval(timer);
          this.#working = false;
          resolve();
          return;
        }
        this.#tick(Math.min(nowMs - lastMs, MAX_TICK_MS));
        lastMs = nowMs;
      }, TICK_MS);
    });
  }

  #tick(elapsedMs: number): void {
    const share = ((elapsedMs / 1000) * this.#task.pace * this.#slots.length) / CLIENTS_OF_RATES;
    const budget = this.#budget;
    for (const what of Object.keys(RATES) as (keyof typeof RATES)[]) budget[what] += RATES[what] * share;
    for (; budget.crashes >= 1; budget.crashes--) this.#end('crashed');
    for (; budget.closes >= 1; budget.closes--) this.#end('closed');
    for (; budget.joins >= 1; budget.joins--) this.random.pick(this.#slots).joinSome();
    for (; budget.leaves >= 1; budget.leaves--) this.#leaveSome();
    if (this.#sentToWitness - this.#seenByWitness > MAX_BACKLOG) {
      this.#figures.throttledTicks++;
      budget.messages = 0;
      return;
    }
    for (; budget.messages >= 1; budget.messages--) this.#send();
  }

  #end(how: 'closed' | 'crashed'): void {
    const slot = this.random.pick(this.#slots);
    const session = slot.ready;
    if (session === undefined) return;
    // Some end with requests and messages on the way.
    if (this.random.chance(0.5)) for (let i = this.random.between(1, 5); i > 0; i--) this.#sendFrom(session);
    if (this.random.chance(0.3)) slot.joinSome();
    if (this.random.chance(0.3)) slot.leave(pickOwnGroup(this.random, session));
    this.#endsToSee.set(session.name, (this.#endsToSee.get(session.name) ?? 0) + 1);
    slot.end(how);
    if (how === 'closed') this.#figures.closes++;
    else this.#figures.crashes++;
    this.#open(slot, this.random.chance(0.5) ? 0 : this.random.below(MAX_AWAY_MS));
  }

  #leaveSome(): void {
    const slot = this.random.pick(this.#slots);
    const session = slot.ready;
    if (session === undefined) return;
    const group = pickOwnGroup(this.random, session);
    if (!slot.leave(group)) return;
    // Back at once, before the leave took effect: allowed where view ids cannot repeat.
    if (group < this.shape.witnessedGroups && this.random.chance(0.2)) session.join(group);
  }

  #send(): void {
    const session = this.random.pick(this.#slots).ready;
    if (session !== undefined && session.session.pendingBytes < MAX_PENDING_BYTES) this.#sendFrom(session);
  }

  #sendFrom(session: SoakSession): void {
    const plan = planSend(this.random, this.shape, session);
    session.send(plan, makeData(this.random));
    this.#figures.sent++;
    if (plan.groups.some((group) => group < this.shape.witnessedGroups)) this.#sentToWitness++;
  }

  /** Everyone is connected, all that was sent is ordered, and so is the end of every session that ended. */
  async #quiet(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.opening));
    await this.#markers();
    if (this.#endsToSee.size > 0)
      await new Promise<void>((resolve) => {
        this.#quietWaiter = resolve;
      });
    this.#quietWaiter = undefined;
  }

  async #markers(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.marker()));
  }

  #unquietReason(): string {
    const waiting = [...this.#sessions.values()].filter((session) => session.awaitsMarker);
    return (
      `not quiet within ${QUIET_LIMIT_MS} ms: ${waiting.length} of ${this.#sessions.size} sessions miss their own message` +
      ` (first: ${waiting.slice(0, 3).map((session) => session.session.privateName)}),` +
      ` ${this.#endsToSee.size} ends of sessions were not seen, working ${this.#working}`
    );
  }

  #handOver(): void {
    let length = 0;
    for (const { received, requested } of this.#sessions.values())
      length += BLOCK_HEADER_WORDS + received.length + requested.length;
    const words = new Int32Array(length);
    let at = 0;
    for (const session of this.#sessions.values()) {
      const { received, requested } = session;
      const flags = (session.membership ? BlockFlag.Membership : 0) | (session.started ? BlockFlag.Started : 0);
      words.set([session.serial, session.name, flags, session.end, received.length, requested.length, 0], at);
      received.copyTo(words, at + BLOCK_HEADER_WORDS);
      requested.copyTo(words, at + BLOCK_HEADER_WORDS + received.length);
      at += BLOCK_HEADER_WORDS + received.length + requested.length;
      session.forgetEpoch();
      if (session.end !== 0) this.#sessions.delete(session.serial);
    }
    for (const slot of this.#slots) slot.forgetEpoch();
    const lists = this.lists.take();
    const figures = this.#figures;
    this.#figures = noFigures();
    this.#task.port.postMessage({ kind: 'trace', words, lists, figures } satisfies DriverReply, [
      words.buffer,
      lists.buffer,
    ]);
  }

  #reply(reply: DriverReply): void {
    this.#task.port.postMessage(reply);
  }

  #fail(reason: string): void {
    if (!this.#disconnecting) this.#reply({ kind: 'failed', reason });
  }

  #addressOf(client: number): DaemonAddress {
    const { addresses } = this.#task;
    return addresses[client % addresses.length];
  }
}

function noFigures(): DriverFigures {
  return {
    sent: 0,
    delivered: 0,
    deliveredBytes: 0,
    closes: 0,
    crashes: 0,
    connects: 0,
    viewsReceived: 0,
    throttledTicks: 0,
    slowestConnectMs: 0,
    longestStallMs: 0,
  };
}

/** Rejects with `reason()` when `work` takes too long. */
async function withLimit(work: Promise<void>, reason: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(reason())), QUIET_LIMIT_MS);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
