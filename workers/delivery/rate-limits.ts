/**
 * Holds sessions to the limits of their user and address: how many there may be, and how many messages and bytes a second they may send
 * together. Who sends more is not read until there are tokens again; who has been held so for `RateLimitTimeout` is ended. The buckets are
 * shared by the workers of the daemon (engine/buffers/rate-table.ts). A daemon without limits asks nothing and keeps nothing.
 */
import { createHash } from 'node:crypto';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { FULL, type Rates, RateTable } from '../../engine/buffers/rate-table.ts';
import type { FrameScanner } from '../../engine/wire/frame-scanner.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { PartyLimits } from './party-limits.ts';

/** Of a session in the table; 0: none. */
const NONE = 0;
/** A session goes on when its buckets have this part of a second, so that it does so a hundred times a second at most. */
const GOES_ON_PARTS = 100;
/** A session that was not held for so long begins a new time of being held. */
const BREAK_MS = 1000;

export interface RateLimitEvents {
  /** There are tokens again. */
  goOn(session: ClientSession): void;
  /** It has been held for too long. */
  end(session: ClientSession, heldMs: number): void;
  /** Sessions may send, and are not to be kept from it for want of memory. */
  isShortOfMemory(): boolean;
}

export class RateLimits {
  readonly #settings: Live<Pick<DeliverySettings, 'rates'>>;
  readonly #table: RateTable;
  readonly #sessions: ReadonlyMap<number, ClientSession>;
  readonly #counters: Float64Array;
  /** Of all workers. */
  readonly #now: () => number;
  readonly #events: RateLimitEvents;
  #held: ClientSession[] = [];
  #nextMs = Number.POSITIVE_INFINITY;
  #isLifted = false;

  constructor(
    settings: Live<Pick<DeliverySettings, 'rates'>>,
    memory: SharedArrayBuffer,
    sessions: ReadonlyMap<number, ClientSession>,
    counters: Float64Array,
    now: () => number,
    events: RateLimitEvents,
  ) {
    this.#settings = settings;
    this.#table = new RateTable(memory);
    this.#sessions = sessions;
    this.#counters = counters;
    this.#now = now;
    this.#events = events;
  }

  /** How many sessions are not read because of their rate. */
  get heldCount(): number {
    return this.#held.length;
  }

  nextDeadlineMs(agentNowMs: number): number {
    return this.#held.length === 0 ? Number.POSITIVE_INFINITY : agentNowMs + Math.max(0, this.#nextMs - this.#now());
  }

  /** Counts a session in that has authenticated. @returns null, or which limit it is over, and then it is not counted */
  admit(session: ClientSession): string | null {
    const { user, address } = this.#settings.current.rates;
    const userEntry = this.#enter(userKey(session), user);
    if (userEntry === FULL) {
      this.#counters[DeliveryCounter.UserSessionsRefused]!++;
      return `MaxUserSessions ${user.sessions}: user ${JSON.stringify(session.user)} has as many sessions`;
    }
    const addressEntry = this.#enter(addressKey(session), address);
    if (addressEntry === FULL) {
      this.#leave(userEntry);
      this.#counters[DeliveryCounter.AddressSessionsRefused]!++;
      return `MaxAddressSessions ${address.sessions}: address ${session.share} has as many sessions`;
    }
    session.userEntry = userEntry;
    session.addressEntry = addressEntry;
    this.#rateOf(session);
    return null;
  }

  /** The session is over, or did not come about. */
  forget(session: ClientSession): void {
    this.#leave(session.userEntry);
    this.#leave(session.addressEntry);
    session.userEntry = NONE;
    session.addressEntry = NONE;
    session.isRated = false;
  }

  /** Other limits hold from now on. Sessions that are open stay, however many there are. */
  settingsChanged(): void {
    const { user, address } = this.#settings.current.rates;
    for (const session of this.#sessions.values()) {
      if (session.state !== 'open') continue;
      session.userEntry = this.#changeEntry(session.userEntry, userKey(session), user);
      session.addressEntry = this.#changeEntry(session.addressEntry, addressKey(session), address);
      this.#rateOf(session);
    }
    this.#nextMs = 0;
  }

  /** The daemon is stopping: what clients have sent is taken. */
  lift(): void {
    this.#isLifted = true;
    this.#nextMs = 0;
  }

  /**
   * Whether the session may send now. If so, the scanner's next run is no longer than its tokens.
   * @param scanner reads for this session next
   */
  admits(session: ClientSession, scanner: FrameScanner): boolean {
    scanner.runFrames = Number.POSITIVE_INFINITY;
    scanner.runBytes = scanner.maxRunBytes;
    if (this.#isLifted) return true;
    const { user, address } = this.#settings.current.rates;
    const nowMs = this.#now();
    const isIn =
      this.#allows(session.userEntry, user, nowMs, scanner) &
      this.#allows(session.addressEntry, address, nowMs, scanner);
    if (isIn === 1) return true;
    if (!this.#events.isShortOfMemory()) return false;
    // It is held behind what was read, and pays later: what waits here would be in the way of others.
    scanner.runFrames = Number.POSITIVE_INFINITY;
    scanner.runBytes = scanner.maxRunBytes;
    return true;
  }

  spend(session: ClientSession, frames: number, bytes: number): void {
    const { user, address } = this.#settings.current.rates;
    this.#spend(session.userEntry, user, frames, bytes);
    this.#spend(session.addressEntry, address, frames, bytes);
  }

  /** Its buckets are empty. */
  isDry(session: ClientSession): boolean {
    if (this.#isLifted) return false;
    const { user, address } = this.#settings.current.rates;
    const nowMs = this.#now();
    return this.#waitMs(session.userEntry, user, nowMs, 1) + this.#waitMs(session.addressEntry, address, nowMs, 1) > 0;
  }

  /** The session is not read from now on. */
  hold(session: ClientSession): void {
    const nowMs = this.#now();
    if (session.heldSinceMs === 0 || nowMs - session.releasedMs > BREAK_MS) session.heldSinceMs = nowMs;
    session.isHeld = true;
    session.heldCount++;
    this.#counters[DeliveryCounter.RatePauses]!++;
    this.#held.push(session);
    this.#counters[DeliveryCounter.SessionsHeld] = this.#held.length;
    this.#nextMs = Math.min(this.#nextMs, this.#dueMs(session, nowMs));
  }

  /** Lets those go on that have tokens, and ends those that were held for too long. @returns how many */
  poll(): number {
    if (this.#held.length === 0) return 0;
    const nowMs = this.#now();
    if (nowMs < this.#nextMs) return 0;
    const held = this.#held;
    this.#held = [];
    this.#nextMs = Number.POSITIVE_INFINITY;
    const { timeoutMs } = this.#settings.current.rates;
    let work = 0;
    for (const session of held) {
      const heldMs = nowMs - session.heldSinceMs;
      if (session.state !== 'open') continue;
      if (timeoutMs > 0 && heldMs >= timeoutMs && !this.#isLifted) {
        this.#counters[DeliveryCounter.RateEnds]!++;
        session.isHeld = false;
        this.#events.end(session, heldMs);
      } else if (this.#waits(session, nowMs) > 0) {
        this.#held.push(session);
        this.#nextMs = Math.min(this.#nextMs, this.#dueMs(session, nowMs));
        continue;
      } else {
        session.isHeld = false;
        session.releasedMs = nowMs;
        this.#events.goOn(session);
      }
      work++;
    }
    this.#counters[DeliveryCounter.SessionsHeld] = this.#held.length;
    return work;
  }

  #dueMs(session: ClientSession, nowMs: number): number {
    const { timeoutMs } = this.#settings.current.rates;
    const goesOnMs = nowMs + this.#waits(session, nowMs);
    return timeoutMs === 0 ? goesOnMs : Math.min(goesOnMs, session.heldSinceMs + timeoutMs);
  }

  /** Milliseconds until it has enough tokens to go on. */
  #waits(session: ClientSession, nowMs: number): number {
    if (this.#isLifted) return 0;
    const { user, address } = this.#settings.current.rates;
    return Math.max(
      this.#waitMs(session.userEntry, user, nowMs, GOES_ON_PARTS),
      this.#waitMs(session.addressEntry, address, nowMs, GOES_ON_PARTS),
    );
  }

  /** @param parts 1: a token is enough; else this part of a second */
  #waitMs(entry: number, { messages, bytes }: PartyLimits, nowMs: number, parts: number): number {
    if (entry === NONE) return 0;
    let waitMs = 0;
    if (messages > 0) {
      const missing = Math.max(1, parts === 1 ? 1 : messages / parts) - this.#table.messages(entry, messages, nowMs);
      waitMs = Math.max(waitMs, (missing * 1000) / messages);
    }
    if (bytes > 0) {
      const missing = Math.max(1, parts === 1 ? 1 : bytes / parts) - this.#table.bytes(entry, bytes, nowMs);
      waitMs = Math.max(waitMs, (missing * 1000) / bytes);
    }
    return waitMs <= 0 ? 0 : Math.ceil(waitMs);
  }

  /** 1: yes. Shortens the scanner's run to the tokens. */
  #allows(entry: number, { messages, bytes }: PartyLimits, nowMs: number, scanner: FrameScanner): number {
    if (entry === NONE) return 1;
    if (messages > 0) {
      const tokens = this.#table.messages(entry, messages, nowMs);
      if (tokens < 1) return 0;
      scanner.runFrames = Math.min(scanner.runFrames, Math.floor(tokens));
    }
    if (bytes > 0) {
      const tokens = this.#table.bytes(entry, bytes, nowMs);
      if (tokens < 1) return 0;
      scanner.runBytes = Math.min(scanner.runBytes, tokens);
    }
    return 1;
  }

  #spend(entry: number, { messages, bytes }: PartyLimits, frames: number, lengthBytes: number): void {
    if (entry === NONE) return;
    if (messages > 0) this.#table.takeMessages(entry, frames);
    if (bytes > 0) this.#table.takeBytes(entry, lengthBytes);
  }

  #rateOf(session: ClientSession): void {
    const { user, address } = this.#settings.current.rates;
    session.isRated =
      (session.userEntry !== NONE && hasRate(user)) || (session.addressEntry !== NONE && hasRate(address));
  }

  /** @param key null: it has none */
  #enter(key: string | null, limits: PartyLimits, maxSessions = limits.sessions): number {
    if (key === null || (limits.sessions === 0 && !hasRate(limits))) return NONE;
    const hash = createHash('sha256').update(key).digest();
    const [high = 0, low = 0] = new Int32Array(hash.buffer.slice(hash.byteOffset, hash.byteOffset + hash.length));
    return this.#table.acquire(high, low, maxSessions, limits, this.#now() | 0);
  }

  #leave(entry: number): void {
    if (entry > NONE) this.#table.release(entry, this.#now() | 0);
  }

  #changeEntry(entry: number, key: string | null, limits: PartyLimits): number {
    const isLimited = limits.sessions > 0 || hasRate(limits);
    if (entry === NONE) return isLimited ? this.#enter(key, limits, 0) : NONE;
    if (isLimited) return entry;
    this.#leave(entry);
    return NONE;
  }
}

const hasRate = ({ messages, bytes }: Rates): boolean => messages > 0 || bytes > 0;

const userKey = ({ user }: ClientSession): string | null => (user === null ? null : `user ${user}`);

/** Clients of the Unix socket have none: all of a machine would share it. */
const addressKey = ({ transport, share }: ClientSession): string | null =>
  transport.peer.address === undefined ? null : `address ${share}`;
