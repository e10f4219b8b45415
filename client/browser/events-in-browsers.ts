/** Stands in for `node:events` where the library is bundled for browsers: the part of `EventEmitter` that sessions use. */

type Listener = (...args: never[]) => void;

interface Entry {
  readonly listener: Listener;
  readonly isOnce: boolean;
}

export class EventEmitter {
  readonly #entries = new Map<string, readonly Entry[]>();

  on(event: string, listener: Listener): this {
    return this.#add(event, { listener, isOnce: false }, false);
  }

  addListener(event: string, listener: Listener): this {
    return this.#add(event, { listener, isOnce: false }, false);
  }

  once(event: string, listener: Listener): this {
    return this.#add(event, { listener, isOnce: true }, false);
  }

  prependListener(event: string, listener: Listener): this {
    return this.#add(event, { listener, isOnce: false }, true);
  }

  prependOnceListener(event: string, listener: Listener): this {
    return this.#add(event, { listener, isOnce: true }, true);
  }

  off(event: string, listener: Listener): this {
    const entries = this.#of(event);
    const at = entries.findLastIndex((entry) => entry.listener === listener);
    if (at >= 0) this.#entries.set(event, entries.toSpliced(at, 1));
    return this;
  }

  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener);
  }

  removeAllListeners(event?: string): this {
    if (event === undefined) this.#entries.clear();
    else this.#entries.delete(event);
    return this;
  }

  listenerCount(event: string): number {
    return this.#of(event).length;
  }

  /** An error that nobody listens to is thrown, as in Node. */
  emit(event: string, ...args: unknown[]): boolean {
    const entries = this.#of(event);
    if (entries.length === 0 && event === 'error') throw args[0];
    for (const entry of entries) {
      if (entry.isOnce) {
        const left = this.#of(event);
        const at = left.indexOf(entry);
        if (at < 0) continue;
        this.#entries.set(event, left.toSpliced(at, 1));
      }
      entry.listener.apply(this, args as never[]);
    }
    return entries.length > 0;
  }

  #add(event: string, entry: Entry, isFirst: boolean): this {
    const entries = this.#of(event);
    this.#entries.set(event, isFirst ? [entry, ...entries] : [...entries, entry]);
    return this;
  }

  #of(event: string): readonly Entry[] {
    return this.#entries.get(event) ?? [];
  }
}
