/** Which counters of one transmitter have been seen: the highest, and a bit each for those just below it. */
const WINDOW = 1024;

export class ReplayWindow {
  #highest = 0;
  readonly #seen = new Uint8Array(WINDOW);

  /** False for a counter seen before, and for one too old to tell. */
  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true;
    return counter > this.#highest - WINDOW && this.#seen[counter % WINDOW] === 0;
  }

  /** Only for counters that are fresh. */
  accept(counter: number): void {
    if (counter > this.#highest) {
      const from = Math.max(this.#highest + 1, counter - WINDOW + 1);
      for (let skipped = from; skipped < counter; skipped++) this.#seen[skipped % WINDOW] = 0;
      this.#highest = counter;
    }
    this.#seen[counter % WINDOW] = 1;
  }
}
