/** One line on standard error that tells how long work is going on; nothing when that is no terminal. */
const INTERVAL_MS = 200;

export class Progress {
  readonly #enabled = process.stderr.isTTY === true;
  #lastMs = 0;
  #shown = false;

  /** Calls `describe` and shows what it returns, unless it was shown a moment ago. */
  update(describe: () => string): void {
    if (!this.#enabled) return;
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < INTERVAL_MS) return;
    this.#lastMs = nowMs;
    this.#shown = true;
    process.stderr.write(`\r\u001b[K${describe()}`);
  }

  clear(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }
}
