/** Datagrams of the past, for replaying. */
import type { Random } from '../core/random.ts';

const MEMORY = 64;

export class Recordings {
  readonly datagrams: Uint8Array[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Keeps it, in place of another one when there are many, or does not. */
  add(bytes: Uint8Array): void {
    if (this.datagrams.length < MEMORY) this.datagrams.push(bytes);
    else if (this.#random.chance(0.1)) this.datagrams[this.#random.integer(0, MEMORY - 1)] = bytes;
  }
}
