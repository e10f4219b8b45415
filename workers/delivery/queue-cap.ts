/**
 * The limit on the bytes that wait for all clients of a daemon together (`MaxQueuedBytes`). Each delivery worker publishes what waits at
 * its sessions (control-words.ts), and reads what the others published; the worker that has the slowest session of all ends it.
 */
import type { ControlWords } from '../../engine/buffers/control-words.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';

export type QueueCapSettings = Pick<DeliverySettings, 'maxQueuedBytes'>;

export class QueueCap {
  readonly #settings: Live<QueueCapSettings>;
  readonly #worker: number;
  readonly #words: ControlWords;
  readonly #counters: Float64Array;
  #mostBytes = 0;

  /** @param counters of the worker */
  constructor(settings: Live<QueueCapSettings>, worker: number, words: ControlWords, counters: Float64Array) {
    this.#settings = settings;
    this.#worker = worker;
    this.#words = words;
    this.#counters = counters;
  }

  get maxBytes(): number {
    return this.#settings.current.maxQueuedBytes;
  }

  /** Tells what waits here. @returns what waits at all workers together, in steps of 64 bytes */
  tell(heldBytes: number): number {
    this.#counters[DeliveryCounter.QueuedBytes] = heldBytes;
    this.#words.tellQueued(this.#worker, heldBytes);
    const total = this.#words.queuedBytes;
    this.#mostBytes = Math.max(this.#mostBytes, total);
    this.#counters[DeliveryCounter.QueuedBytesMost] = this.#mostBytes;
    return total;
  }

  /** Publishes the bytes that wait for the slowest session here; 0: none may be ended. @returns whether no other worker has a slower one */
  isWorst(waitingBytes: number): boolean {
    this.#counters[DeliveryCounter.WorstQueueBytes] = waitingBytes;
    this.#words.tellWorst(this.#worker, waitingBytes);
    return this.#words.isWorst(waitingBytes);
  }
}
