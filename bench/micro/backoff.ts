/** Waits for the other thread by looking again a few times, then by giving the core away: there may be only one for both. */
const SPINS = 500;
const NAP_MS = 0.05;

export class Backoff {
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  #spins = 0;

  /** Nothing to do yet. */
  idle(): void {
    if (++this.#spins < SPINS) return;
    this.#spins = 0;
    Atomics.wait(this.#never, 0, 0, NAP_MS);
  }

  worked(): void {
    this.#spins = 0;
  }
}
