/** Waits for another thread: spins a few times, then yields, because both may share one core. */
const SPINS = 500;
const NAP_MS = 0.05;

export class Backoff {
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  #spins = 0;

  /** Call it when there is nothing to do yet. */
  idle(): void {
    if (++this.#spins < SPINS) return;
    this.#spins = 0;
    Atomics.wait(this.#never, 0, 0, NAP_MS);
  }

  worked(): void {
    this.#spins = 0;
  }
}
