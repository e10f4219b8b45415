/** How far behind schedule the pacer may catch up: enough for late timers, too little for a burst after a pause. */
const MOST_CREDIT_MS = 20;

/** Limits actions to a number per second. */
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
