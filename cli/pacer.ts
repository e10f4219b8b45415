/** Time not used may be caught up on, but no more than this: it evens out late timers and makes no burst after a pause. */
const MOST_CREDIT_MS = 20;

/** Holds a sequence of actions to a number per second. */
export class Pacer {
  readonly #msEach: number;
  readonly #now: () => number;
  #dueMs: number;

  /** @param now a monotonic clock in milliseconds */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#msEach = 1000 / perSecond;
    this.#now = now;
    this.#dueMs = now();
  }

  /** Books `count` actions and returns in how many milliseconds they are due. */
  book(count: number): number {
    const nowMs = this.#now();
    this.#dueMs = Math.max(this.#dueMs, nowMs - MOST_CREDIT_MS);
    const waitMs = Math.max(0, this.#dueMs - nowMs);
    this.#dueMs += count * this.#msEach;
    return waitMs;
  }
}
