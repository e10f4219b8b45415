/** Shows progress as one line on standard error, if that is a terminal. */
const INTERVAL_MS = 200;

export class Progress {
  readonly #enabled = process.stderr.isTTY === true;
  #lastMs = 0;
  #shown = false;

  /** Shows what `describe` returns, at most five times a second. */
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
