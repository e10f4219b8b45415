/**
 * Seeded pseudo-random numbers (sfc32). Every consumer forks its own stream by name, so taking one fault out of a schedule
 * leaves the draws of all others as they were; shrinking depends on that.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = Math.floor(seed / 0x1_0000_0000) ^ 0x9e37_79b9;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** Next 32 bits, unsigned. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** Uniform integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  /** Uniform real in [low, high). */
  real(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** Real in [low, high), small values as likely as large ones per decade. */
  logarithmic(low: number, high: number): number {
    return low * (high / low) ** this.unit();
  }

  /** Exponentially distributed with the given mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit());
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** `count` different items, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const taken: T[] = [];
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.integer(0, rest.length - 1), 1));
    return taken;
  }

  /** An independent stream that depends on this one's seed only through the words drawn so far. */
  fork(): Random {
    return new Random(this.word() + this.word() * 0x10_0000, this.word());
  }
}

/** A stream of `seed` that belongs to `name`: equal arguments, equal stream. */
export function randomFor(seed: number, name: string): Random {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193);
  return new Random(seed, hash);
}
