/**
 * Sessions whose sockets do not take everything at once: keeps them from holding the ordered log back, and ends those that go
 * over the limits (client-protocol.md, section 7.4), of one session or of all together.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { LogPosition } from '../../engine/buffers/log-position.ts';
import type { ClientSession } from './client-session.ts';
import type { KeptBytes } from './kept-bytes.ts';
import type { Live } from './live.ts';
import type { ConsumerSettings } from './log-consumer.ts';
import type { QueueCap } from './queue-cap.ts';
import { SharedSpill } from './shared-spill.ts';

/**
 * Terms by which the log moves on before a waiting range is copied out of it, and the share of a reader's term buffers that this is at
 * most.
 */
const KEEP_TERMS = 8;
const KEEP_SHARE = 1 / 8;

/** Which limit a session has gone over. */
export type SlowReason = 'session' | 'log' | 'all-sessions';

export type EndSlow = (session: ClientSession, waitingFrames: number, waitingBytes: number, reason: SlowReason) => void;

export class SlowConsumers {
  readonly #settings: Live<ConsumerSettings>;
  readonly #counters: Float64Array;
  readonly #store: KeptBytes;
  readonly #cap: QueueCap;
  readonly #spill: SharedSpill;
  readonly #keepTerms: number;
  readonly #end: EndSlow;
  readonly #blocked = new Set<ClientSession>();
  /** Those of `#blocked` whose ranges are being copied; kept to be used again. */
  readonly #spilling: ClientSession[] = [];
  #spilledTerm = 0;
  #isOverCap = false;

  constructor(
    settings: Live<ConsumerSettings>,
    counters: Float64Array,
    log: LogPosition,
    store: KeptBytes,
    cap: QueueCap,
    end: EndSlow,
  ) {
    const { termBytes, termBufferCount, readers } = log.shape;
    this.#settings = settings;
    this.#counters = counters;
    this.#store = store;
    this.#cap = cap;
    this.#spill = new SharedSpill(store, Buffer.from(log.bytes.buffer), termBytes);
    this.#keepTerms = Math.max(1, Math.min(KEEP_TERMS, Math.floor((termBufferCount / readers) * KEEP_SHARE)));
    this.#end = end;
  }

  get count(): number {
    return this.#blocked.size;
  }

  /** The session's socket did not take all it was given. */
  blocked(session: ClientSession): void {
    const { output } = session;
    const { maxSessionMessages, maxSessionBytes } = this.#settings.current.limits;
    this.#blocked.add(session);
    if (output.queuedBytes > this.#counters[DeliveryCounter.LongestQueueBytes]!) {
      this.#counters[DeliveryCounter.LongestQueueBytes] = output.queuedBytes;
    }
    if (output.queuedFrames <= maxSessionMessages && output.queuedBytes <= maxSessionBytes) return;
    const frames = output.waitingFrames();
    const bytes = output.limitedBytes();
    if (frames > maxSessionMessages || bytes > maxSessionBytes) this.#end(session, frames, bytes, 'session');
  }

  unblocked(session: ClientSession): void {
    this.#blocked.delete(session);
  }

  /**
   * The worker has come to `term`: what waits in terms long left behind is copied out of them, one by one,
   * for all sessions at once.
   */
  logAdvanced(term: number): void {
    if (term === this.#spilledTerm) return;
    this.#spilledTerm = term;
    for (let old = this.#oldestTerm(term); old !== null; old = this.#oldestTerm(term)) this.#spillTerm(old);
    this.#store.compact();
  }

  /**
   * The log is full. Usually readers are about to give room back. But every client stuck in a write holds a term buffer, and when such
   * clients hold so many that no other can be served, the one that has been stuck longest is ended.
   * @param termBuffers the log has in all
   */
  logIsFull(term: number, termBuffers: number): void {
    let oldest: ClientSession | null = null;
    let oldestAge = termBuffers / 2;
    for (const session of this.#blocked) {
      const since = session.output.heldSince();
      const age = since === null ? 0 : term - since;
      if (age <= oldestAge) continue;
      oldest = session;
      oldestAge = age;
    }
    if (oldest !== null) this.#endNow(oldest, 'log');
  }

  /** Ends the slowest sessions while more waits for all together than may. */
  enforceCap(): void {
    if (this.#cap.tell(this.#store.heldBytes) > this.#cap.maxBytes) this.#store.squeeze();
    for (;;) {
      const total = this.#cap.tell(this.#store.heldBytes) - this.#store.closingBytes;
      if (total <= this.#cap.maxBytes) {
        if (this.#isOverCap) this.#cap.isWorst(0);
        this.#isOverCap = false;
        return;
      }
      this.#isOverCap = true;
      const worst = this.#slowest();
      const waiting = worst === null ? 0 : worst.output.waitingBytes();
      if (!this.#cap.isWorst(waiting) || worst === null) return;
      this.#counters[DeliveryCounter.QueuesEnded]!++;
      this.#endNow(worst, 'all-sessions');
      this.#store.squeeze();
    }
  }

  #endNow(session: ClientSession, reason: SlowReason): void {
    this.#blocked.delete(session);
    this.#end(session, session.output.waitingFrames(), session.output.waitingBytes(), reason);
  }

  #slowest(): ClientSession | null {
    let slowest: ClientSession | null = null;
    for (const session of this.#blocked) {
      if (session.state !== 'open') continue;
      if (slowest === null || session.output.queuedBytes > slowest.output.queuedBytes) slowest = session;
    }
    return slowest;
  }

  /** Term of the oldest range that must leave the log; null when there is none. */
  #oldestTerm(term: number): number | null {
    let oldest: number | null = null;
    for (const session of this.#blocked) {
      const its = session.output.oldestTerm();
      if (its === null || term - its < this.#keepTerms) continue;
      if (oldest === null || its - oldest < 0) oldest = its;
    }
    return oldest;
  }

  #spillTerm(term: number): void {
    const spill = this.#spill;
    const sessions = this.#spilling;
    for (const session of this.#blocked) if (session.output.oldestTerm() === term) sessions.push(session);
    spill.begin(sessions[0]!.output.oldestTermBuffer());
    for (const { output } of sessions) output.markSpill(term, spill);
    spill.settle();
    for (const { output, handle } of sessions) output.wantSpill(term, spill, mixed(handle), mixed(~handle));
    spill.copy();
    for (const { output } of sessions) output.takeSpill(term, spill);
    spill.end();
    sessions.length = 0;
  }
}

/** 32 bits in which every bit of `number` has a say. */
function mixed(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return bits ^ (bits >>> 16);
}
