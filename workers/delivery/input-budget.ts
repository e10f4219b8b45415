/**
 * Limits what a worker keeps of its sessions' input together (`MaxInputBytes`): frames that are not whole yet, and what the submit queue
 * has no room for. The ring's part is bounded by not reading: while too much is kept and the submit queue is full, no session is read, for
 * nothing of it could be handled anyway. A frame that stays incomplete is its client's doing, so the oldest of those sessions are ended.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';

/** A frame of the largest size comes over a slow link in this time; ten times as slow is bad luck where there is no room. */
const PATIENCE_MS = 1000;
const LOOK_EVERY_MS = 100;

export interface InputBudgetEvents {
  /** The submit queue has no room, or clients are blocked. */
  isRingFull(): boolean;
  /** The session's frame stayed incomplete for too long, with `keptBytes` of it here. */
  end(session: ClientSession, keptBytes: number): void;
  /** The client had closed its side while it was not read. */
  inputEnded(session: ClientSession): void;
}

/** Of this worker. */
export type InputSettings = Pick<DeliverySettings, 'maxInputBytes'>;

export class InputBudget {
  readonly #settings: Live<InputSettings>;
  readonly #sessions: ReadonlyMap<number, ClientSession>;
  readonly #counters: Float64Array;
  readonly #now: () => number;
  readonly #events: InputBudgetEvents;
  /** Sessions that are not read although the ring took all they had. */
  #unread: ClientSession[] = [];
  /** Bytes of input that wait at all sessions of the worker. */
  #keptBytes = 0;
  #isHolding = false;
  #nextLookMs = 0;

  constructor(
    settings: Live<InputSettings>,
    sessions: ReadonlyMap<number, ClientSession>,
    counters: Float64Array,
    now: () => number,
    events: InputBudgetEvents,
  ) {
    this.#settings = settings;
    this.#sessions = sessions;
    this.#counters = counters;
    this.#now = now;
    this.#events = events;
  }

  /** Whether nothing waits to be read. */
  get isIdle(): boolean {
    return this.#unread.length === 0;
  }

  /** What is kept is on its way to too much. */
  get isHalfFull(): boolean {
    return this.#keptBytes > this.#maxBytes / 2;
  }

  /**
   * The session's input was added to or handled.
   * @returns whether the session may be read further, as far as this goes
   */
  changed(session: ClientSession): boolean {
    const { input } = session;
    if (input.bytes === null && input.countedBytes === 0) return true;
    this.#count(session, input.bytes === null ? 0 : input.bytes.length);
    if (input.length > 0 && !input.stalled && input.incompleteSinceMs === 0) input.incompleteSinceMs = this.#now();
    if (!this.#isHolding && this.#isOver() && this.#events.isRingFull()) this.#hold();
    return !input.stalled;
  }

  /** The session is to be read from now on. @returns whether it may be; if not, it is when there is room again */
  mayRead(session: ClientSession): boolean {
    if (!this.#isHolding) return true;
    session.input.stalled = true;
    this.#unread.push(session);
    return false;
  }

  /** The session is over: nothing of its input counts any more. */
  forget(session: ClientSession): void {
    session.input.clear();
    this.#count(session, 0);
  }

  poll(nowMs: number): void {
    if (this.#isHolding && (!this.#events.isRingFull() || this.#keptBytes <= this.#maxBytes / 2)) this.#release();
    if (!this.#isOver() || nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_EVERY_MS;
    const incomplete = [...this.#sessions.values()]
      .filter(({ state, input }) => state === 'open' && input.incompleteSinceMs > 0)
      .sort((a, b) => a.input.incompleteSinceMs - b.input.incompleteSinceMs);
    for (const session of incomplete) {
      const { input } = session;
      const isPatient = nowMs - input.incompleteSinceMs < PATIENCE_MS && this.#keptBytes <= 2 * this.#maxBytes;
      if (!this.#isOver() || isPatient) return;
      // Whole frames that the submit queue has no room for are not the client's fault, nor are unread bytes.
      if (input.stalled) continue;
      this.#counters[DeliveryCounter.InputsEnded]!++;
      this.#events.end(session, input.length);
    }
  }

  #hold(): void {
    this.#isHolding = true;
    this.#counters[DeliveryCounter.InputPauses]!++;
    for (const session of this.#sessions.values()) {
      if (session.state !== 'open' || session.input.stalled) continue;
      session.input.stalled = true;
      session.transport.pause();
      this.#unread.push(session);
    }
  }

  #release(): void {
    this.#isHolding = false;
    const unread = this.#unread;
    this.#unread = [];
    const nowMs = this.#now();
    for (const session of unread) {
      if (session.state !== 'open') continue;
      const { input } = session;
      input.stalled = false;
      if (input.length > 0) input.incompleteSinceMs = nowMs;
      if (input.ended) this.#events.inputEnded(session);
      else session.transport.resume();
    }
  }

  get #maxBytes(): number {
    return this.#settings.current.maxInputBytes;
  }

  #isOver(): boolean {
    return this.#keptBytes > this.#maxBytes;
  }

  #count({ input }: ClientSession, bytes: number): void {
    this.#keptBytes += bytes - input.countedBytes;
    this.#counters[DeliveryCounter.InputBytes] = this.#keptBytes;
    input.countedBytes = bytes;
  }
}
