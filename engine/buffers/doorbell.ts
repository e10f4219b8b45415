/**
 * A doorbell per thread: one shared word that says whether the thread sleeps.
 *
 * The sleeper announces itself (`prepareToSleep`), looks at its queues once more, and only then sleeps. A producer publishes
 * its bytes first and rings after. Both sides use sequentially consistent atomics, so one of them always sees the other: either
 * the sleeper finds the bytes in its last look, or the producer finds the word set and wakes it. While the thread is
 * awake, ringing costs one atomic load.
 */
const AWAKE = 0;
const ASLEEP = 1;

export const createDoorbell = (): SharedArrayBuffer => new SharedArrayBuffer(64);

/** The sleeper's side. */
export class DoorbellWaiter {
  readonly #word: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory);
  }

  /** From now on producers wake this thread. Look at every queue once more before sleeping. */
  prepareToSleep(): void {
    Atomics.store(this.#word, 0, ASLEEP);
  }

  awake(): void {
    Atomics.store(this.#word, 0, AWAKE);
  }

  /** Sleeps until rung or for `timeoutMs`; only for threads without an event loop to serve. Call `prepareToSleep` first. */
  block(timeoutMs: number): void {
    Atomics.wait(this.#word, 0, ASLEEP, timeoutMs);
    this.awake();
  }
}

/** The producer's side: `wake` is called at most once per sleep. For a thread that blocks, `notify` alone is enough. */
export class DoorbellRinger {
  readonly #word: Int32Array;
  readonly #wake: (() => void) | null;

  /** @param wake how to wake a thread that sleeps in its event loop; null when it blocks on the word itself */
  constructor(memory: SharedArrayBuffer, wake: (() => void) | null) {
    this.#word = new Int32Array(memory);
    this.#wake = wake;
  }

  ring(): void {
    if (Atomics.load(this.#word, 0) !== ASLEEP) return;
    if (Atomics.compareExchange(this.#word, 0, ASLEEP, AWAKE) !== ASLEEP) return;
    if (this.#wake === null) Atomics.notify(this.#word, 0, 1);
    else this.#wake();
  }
}
