/**
 * Which counters of one incarnation were seen: the highest, and a bit each for those just below it. What is too far below to tell counts as
 * seen. The bits are a ring of words; the word that the highest counter is about to enter is cleared as it gets there (RFC 6479).
 */
const WORDS = 256;
const WORD_BITS = 32;
/** One word of the ring is being filled, so it does not count. */
export const REPLAY_WINDOW = (WORDS - 1) * WORD_BITS;
const ALL = 0xffff_ffff;

export class ReplayWindow {
  #highest = 0;
  readonly #seen = new Uint32Array(WORDS);

  get highest(): number {
    return this.#highest;
  }

  /** False for a counter seen before, and for one too old to tell. */
  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (counter <= this.#highest - REPLAY_WINDOW) return false;
    return (this.#seen[wordOf(counter) % WORDS]! & (1 << (counter % WORD_BITS))) === 0;
  }

  /** Only for counters that are fresh. */
  accept(counter: number): void {
    const word = wordOf(counter);
    if (counter > this.#highest) {
      const before = wordOf(this.#highest);
      const entered = Math.min(word - before, WORDS);
      for (let i = 1; i <= entered; i++) this.#seen[(before + i) % WORDS] = 0;
      this.#highest = counter;
    }
    this.#seen[word % WORDS]! |= 1 << (counter % WORD_BITS);
  }

  /** Everything up to `counter` counts as seen; what was seen above it stays seen. */
  refuseUpTo(counter: number): void {
    if (counter >= this.#highest) {
      this.reset(counter);
      return;
    }
    for (let seen = Math.max(0, this.#highest - REPLAY_WINDOW + 1); seen <= counter; seen++)
      this.#seen[wordOf(seen) % WORDS]! |= 1 << (seen % WORD_BITS);
  }

  /** Everything up to `counter` was seen, nothing above it. */
  reset(counter: number): void {
    this.#highest = counter;
    this.#seen.fill(ALL);
    const bit = counter % WORD_BITS;
    this.#seen[wordOf(counter) % WORDS] = bit === WORD_BITS - 1 ? ALL : 2 ** (bit + 1) - 1;
  }
}

const wordOf = (counter: number): number => Math.floor(counter / WORD_BITS);
