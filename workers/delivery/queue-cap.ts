/**
 * The limit on the bytes that wait for all clients of a daemon together (`MaxQueuedBytes`). Each delivery worker publishes in its counters
 * what waits at its sessions, and reads what the others told; the worker that has the slowest session of all ends it.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';

export type QueueCapSettings = Pick<DeliverySettings, 'maxQueuedBytes'>;

export class QueueCap {
  readonly #settings: Live<QueueCapSettings>;
  readonly #own: Float64Array;
  readonly #all: readonly Float64Array[];

  /** @param all the counters of every delivery worker, `own` among them */
  constructor(settings: Live<QueueCapSettings>, own: Float64Array, all: readonly Float64Array[]) {
    this.#settings = settings;
    this.#own = own;
    this.#all = all;
  }

  get maxBytes(): number {
    return this.#settings.current.maxQueuedBytes;
  }

  /** Tells what waits here. @returns what waits at all workers together */
  tell(heldBytes: number): number {
    this.#own[DeliveryCounter.QueuedBytes] = heldBytes;
    let total = 0;
    for (const counters of this.#all) total += counters[DeliveryCounter.QueuedBytes]!;
    if (total > this.#own[DeliveryCounter.QueuedBytesMost]!) this.#own[DeliveryCounter.QueuedBytesMost] = total;
    return total;
  }

  /** Publishes the bytes that wait for the slowest session here; 0: none may be ended. @returns whether no other worker has a slower one */
  isWorst(waitingBytes: number): boolean {
    this.#own[DeliveryCounter.WorstQueueBytes] = waitingBytes;
    for (const counters of this.#all) {
      if (counters[DeliveryCounter.WorstQueueBytes]! > waitingBytes) return false;
    }
    return true;
  }
}
