interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

/** Consumers that asked for the next item before it came; served in the order they asked. */
export class Waiters<T> {
  readonly #waiting: Waiter<T>[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  wait(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Gives `value` to the longest waiter. */
  serve(value: T): void {
    this.#waiting.shift()?.resolve({ value, done: false });
  }

  /** Nothing more will come: for `error` if there is one, else by the consumer's own will. */
  end(error: unknown): void {
    for (const waiter of this.#waiting.splice(0)) {
      if (error === undefined) waiter.resolve({ value: undefined, done: true });
      else waiter.reject(error);
    }
  }
}
