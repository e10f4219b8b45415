/** xorshift32: the same numbers in every thread that starts with the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // A short run separates seeds that differ in one bit.
    this.#state = (Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995) | 1;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** u32 */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** Integer below `limit`. */
  below(limit: number): number {
    return this.next() % limit;
  }
}

const idle = new Int32Array(new SharedArrayBuffer(4));

/** Yields to another thread. */
export const pause = (milliseconds: number): void => {
  Atomics.wait(idle, 0, 0, milliseconds);
};

/** Retries until `attempt` succeeds: at once at first, then with pauses. @throws when it fails for long */
export function retry(attempt: () => boolean, what: string): void {
  for (let spins = 0; spins < 100; spins++) if (attempt()) return;
  const deadline = performance.now() + 10_000;
  while (!attempt()) {
    if (performance.now() > deadline) throw new Error(`waited 10 s for ${what}`);
    pause(0.02);
  }
}

/** What record number `sequence` holds: any thread can tell its length and every byte of it. */
export class Content {
  length = 0;
  readonly #seed: number;
  readonly #maxLength: number;
  #word = 0;

  constructor(seed: number, maxLength: number) {
    this.#seed = seed;
    this.#maxLength = maxLength;
  }

  /** Sets `length`; most records are short, some as long as can be. */
  select(sequence: number): void {
    let word = Math.imul(this.#seed ^ (sequence + 1), 0x85eb_ca6b);
    word = Math.imul(word ^ (word >>> 15), 0xc2b2_ae35);
    word ^= word >>> 13;
    const span = (word & 7) === 0 ? this.#maxLength : Math.min(48, this.#maxLength);
    this.length = ((word >>> 3) & 0xffff) % (span + 1);
    this.#word = Math.imul(word, 0x9e37_79b1);
  }

  write(bytes: Uint8Array, offset: number): void {
    for (let i = 0; i < this.length; i++) bytes[offset + i] = (this.#word >>> ((i & 3) * 8)) + i;
  }

  /** @returns whether the bytes are those of the record last selected */
  matches(bytes: Uint8Array, offset: number): boolean {
    for (let i = 0; i < this.length; i++) {
      if (bytes[offset + i] !== (((this.#word >>> ((i & 3) * 8)) + i) & 0xff)) return false;
    }
    return true;
  }
}
