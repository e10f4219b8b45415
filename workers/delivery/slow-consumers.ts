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

/** Segments by which the log moves on before a waiting range is copied out of it, and the share of a reader's segments that is at most. */
const KEEP_TURNS = 8;
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
  readonly #keepTurns: number;
  readonly #end: EndSlow;
  readonly #blocked = new Set<ClientSession>();
  /** Those of `#blocked` whose ranges are being copied; kept to be used again. */
  readonly #spilling: ClientSession[] = [];
  #spilledTurn = 0;
  #isOverCap = false;

  constructor(
    settings: Live<ConsumerSettings>,
    counters: Float64Array,
    log: LogPosition,
    store: KeptBytes,
    cap: QueueCap,
    end: EndSlow,
  ) {
    const { segmentBytes, segmentCount, readers } = log.shape;
    this.#settings = settings;
    this.#counters = counters;
    this.#store = store;
    this.#cap = cap;
    this.#spill = new SharedSpill(store, Buffer.from(log.bytes.buffer), segmentBytes);
    this.#keepTurns = Math.max(1, Math.min(KEEP_TURNS, Math.floor((segmentCount / readers) * KEEP_SHARE)));
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
   * The worker has come to use `turn` of a segment: what waits in segments long left behind is copied out of them, segment by segment,
   * for all sessions at once.
   */
  logAdvanced(turn: number): void {
    if (turn === this.#spilledTurn) return;
    this.#spilledTurn = turn;
    for (let old = this.#oldestTurn(turn); old !== null; old = this.#oldestTurn(turn)) this.#spillTurn(old);
    this.#store.compact();
  }

  /**
   * The log is full. Usually readers are about to give room back. But every client stuck in a write holds a segment, and when such
   * clients hold so many that nobody else can be served, the one that has been stuck longest is ended.
   * @param segments the log has in all
   */
  logIsFull(turn: number, segments: number): void {
    let oldest: ClientSession | null = null;
    let oldestAge = segments / 2;
    for (const session of this.#blocked) {
      const since = session.output.heldSince();
      const age = since === null ? 0 : turn - since;
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

  /** Turn of the oldest range that must leave the log; null when there is none. */
  #oldestTurn(turn: number): number | null {
    let oldest: number | null = null;
    for (const session of this.#blocked) {
      const its = session.output.oldestTurn();
      if (its === null || turn - its < this.#keepTurns) continue;
      if (oldest === null || its - oldest < 0) oldest = its;
    }
    return oldest;
  }

  #spillTurn(turn: number): void {
    const spill = this.#spill;
    const sessions = this.#spilling;
    for (const session of this.#blocked) if (session.output.oldestTurn() === turn) sessions.push(session);
    spill.begin(sessions[0]!.output.oldestSegment());
    for (const { output } of sessions) output.markSpill(turn, spill);
    spill.settle();
    for (const { output, handle } of sessions) output.wantSpill(turn, spill, mixed(handle), mixed(~handle));
    spill.copy();
    for (const { output } of sessions) output.takeSpill(turn, spill);
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
