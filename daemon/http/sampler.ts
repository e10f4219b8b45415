/** Looks at the counters once a second, and remembers two minutes: for plots, which begin with them. */
import {
  type CountersMemory,
  DeliveryCounter,
  deliveryCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import type { Sample } from './status-types.ts';

const MAX_SAMPLES = 120;

/** What only rises; a sample has the rates. */
type Totals = Pick<
  Sample,
  | 'messagesOrdered'
  | 'messagesIn'
  | 'messagesOut'
  | 'bytesIn'
  | 'bytesOut'
  | 'packetsSent'
  | 'retransmissions'
  | 'tokenRounds'
>;

export interface SamplerParts {
  readonly counters: CountersMemory;
  /** Milliseconds. */
  readonly loopDelayMs: () => number;
  /** Milliseconds; null: no thread was asked lately. */
  readonly answerMs: () => number | null;
}

export class Sampler {
  readonly #parts: SamplerParts;
  readonly #samples: Sample[] = [];
  #before: Totals | null = null;
  #beforeMs = 0;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get last(): Sample | null {
    return this.#samples.at(-1) ?? null;
  }

  /** Once a second. @param nowMs monotonic @returns null the first time, when there is no rate yet */
  look(nowMs: number): Sample | null {
    const totals = this.#totals();
    const before = this.#before;
    const seconds = (nowMs - this.#beforeMs) / 1000;
    this.#before = totals;
    this.#beforeMs = nowMs;
    if (before === null || !(seconds > 0)) return null;
    const { counters, loopDelayMs, answerMs } = this.#parts;
    const ring = ringCounters(counters);
    const rates = Object.fromEntries(
      (Object.keys(totals) as (keyof Totals)[]).map((key) => [key, Math.max(0, totals[key] - before[key]) / seconds]),
    ) as { readonly [Key in keyof Totals]: number };
    const sample: Sample = {
      at: Date.now(),
      ...rates,
      rotationMs: ring[RING_NODE_COUNTERS + RingCounter.RotationMicros]! / 1000,
      loopDelayMs: loopDelayMs(),
      answerMs: answerMs(),
      sessions: this.#ofWorkers(DeliveryCounter.SessionsOpen),
      groups: ring[OrderingCounter.Groups]!,
      queuedBytes: this.#ofWorkers(DeliveryCounter.QueuedBytes),
      members: ring[RING_NODE_COUNTERS + RingCounter.Members]!,
    };
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    return sample;
  }

  #totals(): Totals {
    const ring = ringCounters(this.#parts.counters);
    const node = (counter: number): number => ring[RING_NODE_COUNTERS + counter]!;
    return {
      messagesOrdered: ring[OrderingCounter.FramesOrdered]!,
      messagesIn: this.#ofWorkers(DeliveryCounter.FramesReceived),
      messagesOut: this.#ofWorkers(DeliveryCounter.FramesDelivered),
      bytesIn: this.#ofWorkers(DeliveryCounter.BytesReceived),
      bytesOut: this.#ofWorkers(DeliveryCounter.BytesDelivered),
      packetsSent: node(RingCounter.PacketsSent),
      retransmissions: node(RingCounter.RetransmissionsToOne) + node(RingCounter.RetransmissionsToAll),
      tokenRounds: node(RingCounter.TokenRounds),
    };
  }

  #ofWorkers(counter: number): number {
    const { counters } = this.#parts;
    let sum = 0;
    for (let worker = 0; worker < counters.deliveryWorkers; worker++)
      sum += deliveryCounters(counters, worker)[counter]!;
    return sum;
  }
}
