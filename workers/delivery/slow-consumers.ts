/**
 * Sessions whose sockets do not take everything at once: keeps them from holding the ordered log back, and ends those that go
 * over the limits (client-protocol.md, section 7.4).
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { SlowConsumerLimits } from './log-consumer.ts';
import type { ClientSession } from './session.ts';

export class SlowConsumers {
  readonly #limits: SlowConsumerLimits;
  readonly #counters: Float64Array;
  readonly #end: (session: ClientSession, waitingFrames: number, waitingBytes: number) => void;
  readonly #blocked = new Set<ClientSession>();
  #spilledTurn = 0;

  constructor(
    limits: SlowConsumerLimits,
    counters: Float64Array,
    end: (session: ClientSession, waitingFrames: number, waitingBytes: number) => void,
  ) {
    this.#limits = limits;
    this.#counters = counters;
    this.#end = end;
  }

  get count(): number {
    return this.#blocked.size;
  }

  /** The session's socket did not take all it was given. */
  blocked(session: ClientSession): void {
    const { output } = session;
    const { maxSessionMessages, maxSessionBytes } = this.#limits;
    this.#blocked.add(session);
    if (output.queuedBytes > this.#counters[DeliveryCounter.LongestQueueBytes]!) {
      this.#counters[DeliveryCounter.LongestQueueBytes] = output.queuedBytes;
    }
    if (output.queuedFrames <= maxSessionMessages && output.queuedBytes <= maxSessionBytes) return;
    const frames = output.waitingFrames();
    const bytes = output.limitedBytes();
    if (frames > maxSessionMessages || bytes > maxSessionBytes) this.#end(session, frames, bytes);
  }

  unblocked(session: ClientSession): void {
    this.#blocked.delete(session);
  }

  /** The worker has come to segment `turn` of the log: what waits in segments long left behind is copied out of them. */
  logAdvanced(turn: number): void {
    if (turn === this.#spilledTurn) return;
    this.#spilledTurn = turn;
    for (const session of this.#blocked) session.output.spillOld(turn);
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
    if (oldest !== null) this.#end(oldest, oldest.output.waitingFrames(), oldest.output.waitingBytes());
  }
}
