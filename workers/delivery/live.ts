/**
 * A value that may be replaced while the daemon runs. Code that depends on it keeps the `Live` and reads `current` at each use, or once in
 * a duty cycle on a hot path; it never copies parts into fields at construction.
 */
export interface Live<T> {
  readonly current: T;
}

/** The side that replaces it, between two duty cycles. */
export class LiveValue<T> implements Live<T> {
  #current: T;

  constructor(current: T) {
    this.#current = current;
  }

  get current(): T {
    return this.#current;
  }

  replace(next: T): void {
    this.#current = next;
  }
}
