import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonAddress } from '../../../client/address.ts';
import { connect } from '../../../client/index.ts';
import type { Random } from '../random.ts';
import { SESSION_ENDS } from '../records.ts';
import { homeOf, NAMES_PER_CLIENT, type SoakShape, userName } from '../shape.ts';
import { type SessionWatcher, SoakSession } from './soak-session.ts';
import { GROUPS_PER_CLIENT, pickGroup } from './workload.ts';

/** A name stays taken until the end of its last session is ordered. */
const NAME_RETRY = { attempts: 500, delayMs: 20 };
const CONNECT_TIMEOUT_MS = 55_000;
/** Part of the sessions that do not ask for membership messages. */
const PLAIN_PART = 0.05;
const SAME_NAME_PART = 0.6;

export interface SlotHost extends SessionWatcher {
  readonly shape: SoakShape;
  readonly random: Random;
  nextSerial(): number;
  opened(session: SoakSession): void;
  /** A session is in its home, so long after it was asked for. */
  settled(tookMs: number): void;
  /** The session is over; when `slot` did not end it, the daemon did, for `reason`. */
  ended(slot: ClientSlot, session: SoakSession, reason: string): void;
}

/** One of the clients: a succession of sessions under up to four names. */
export class ClientSlot {
  readonly client: number;
  readonly isWitness: boolean;
  readonly #host: SlotHost;
  readonly #address: DaemonAddress;
  #variant = 0;
  session: SoakSession | undefined;
  /** Resolves when the session is there and in its home; always pending or done without an error. */
  opening: Promise<void> = Promise.resolve();
  /**
   * Free groups that a name left in this epoch, as `name * groups + group`. It joins them again in another epoch only: their view
   * ids may repeat, and so a name that joins once in an epoch tells views apart.
   */
  readonly #leftFree = new Set<number>();

  constructor(host: SlotHost, client: number, address: DaemonAddress, isWitness: boolean) {
    this.#host = host;
    this.client = client;
    this.#address = address;
    this.isWitness = isWitness;
  }

  get ready(): SoakSession | undefined {
    return this.session?.ready === true ? this.session : undefined;
  }

  open(delayMs: number, failed: (reason: string) => void): void {
    this.opening = this.#open(delayMs).catch((error: unknown) => failed(`client ${this.client}: ${String(error)}`));
  }

  async #open(delayMs: number): Promise<void> {
    const { random, shape } = this.#host;
    if (!this.isWitness && !random.chance(SAME_NAME_PART)) this.#variant = random.below(NAMES_PER_CLIENT);
    const membership = this.isWitness || !random.chance(PLAIN_PART);
    const name = this.client * NAMES_PER_CLIENT + this.#variant;
    if (delayMs > 0) await delay(delayMs);
    const startMs = performance.now();
    const connection = await connect({
      address: this.#address,
      name: userName(name),
      membership,
      retryNameInUse: NAME_RETRY,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      receiveQueueBytes: 64 * 1024 * 1024,
    });
    const session = new SoakSession(connection, this.#host.nextSerial(), name, this.#host);
    this.session = session;
    this.#host.opened(session);
    let reason = '';
    connection.on('error', (error) => {
      reason = error.message;
    });
    connection.on('close', () => {
      if (session.end === 0) session.finish(SESSION_ENDS.indexOf('lost'));
      this.#host.ended(this, session, reason);
    });
    if (this.isWitness) for (let group = 0; group < shape.witnessedGroups; group++) session.join(group);
    else session.join(homeOf(shape, name));
    await session.marker();
    if (session.end !== 0) return;
    session.ready = true;
    if (!this.isWitness) this.#host.settled(performance.now() - startMs);
    if (!this.isWitness) for (let i = 0; i < GROUPS_PER_CLIENT; i++) this.joinSome();
  }

  /** Joins a random group, unless it may not now. */
  joinSome(): void {
    const { random, shape } = this.#host;
    const session = this.ready;
    if (session === undefined) return;
    const group = pickGroup(random, shape);
    if (session.wanted.has(group)) return;
    if (group >= shape.witnessedGroups) {
      // Who gets no views cannot be placed among the events of a group that nobody else may see.
      if (!session.membership || this.#leftFree.has(session.name * shape.groups + group)) return;
    }
    session.join(group);
  }

  leave(group: number): boolean {
    const { shape } = this.#host;
    const session = this.ready;
    if (session === undefined || !session.wanted.has(group) || group === homeOf(shape, session.name)) return false;
    if (group >= shape.witnessedGroups) this.#leftFree.add(session.name * shape.groups + group);
    session.leave(group);
    return true;
  }

  /** Ends the session in the orderly way (KILL) or by cutting the connection. */
  end(how: 'closed' | 'crashed'): void {
    const session = this.session;
    if (session === undefined) return;
    const { shape } = this.#host;
    for (const group of session.wanted)
      if (group >= shape.witnessedGroups) this.#leftFree.add(session.name * shape.groups + group);
    session.finish(SESSION_ENDS.indexOf(how));
    this.session = undefined;
    if (how === 'closed') void session.session.close();
    else session.session.destroy();
  }

  forgetEpoch(): void {
    this.#leftFree.clear();
  }
}
