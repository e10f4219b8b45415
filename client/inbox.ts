import type { FeedSource } from './session-feed.ts';
import { Waiters } from './waiters.ts';

/** What an inbox needs of its owner. */
export interface InboxHost<T> {
  readonly limitBytes: number;
  hasListeners(): boolean;
  emitItem(item: T): void;
  /** Whether the inbox is below its limit; called when that changes. */
  setRoom(room: boolean): void;
}

interface Entry<T> {
  readonly item: T;
  readonly lengthBytes: number;
}

/**
 * Items on their way to listeners or iterators. Those not taken yet are kept, and count against a
 * limit.
 */
export class Inbox<T> implements FeedSource<T> {
  /** Items are given out one by one. */
  readonly hasBatchHandler = false;
  readonly #host: InboxHost<T>;
  readonly #waiters = new Waiters<T>();
  #entries: Entry<T>[] = [];
  #head = 0;
  #lengthBytes = 0;
  #hasRoom = true;
  #drainScheduled = false;
  #afterEntries: (() => void) | undefined;
  #end: { readonly error: Error | undefined } | undefined;

  constructor(host: InboxHost<T>) {
    this.#host = host;
  }

  get hasWaiters(): boolean {
    return !this.#waiters.isEmpty;
  }

  push(item: T, lengthBytes: number): void {
    if (this.#end !== undefined) return;
    if (this.#isEmpty() && this.#host.hasListeners()) this.#host.emitItem(item);
    else if (!this.#waiters.isEmpty) this.#waiters.serve(item);
    else {
      this.#entries.push({ item, lengthBytes });
      this.#lengthBytes += lengthBytes;
      this.#updateRoom();
    }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const entry = this.#shift();
    if (entry !== undefined) return Promise.resolve({ value: entry.item, done: false });
    if (this.#end === undefined) return this.#waiters.wait();
    if (this.#end.error !== undefined) return Promise.reject(this.#end.error);
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Gives what is kept to the listeners, once the program's current turn is over. */
  scheduleDrain(): void {
    if (this.#drainScheduled || this.#isEmpty()) return;
    this.#drainScheduled = true;
    process.nextTick(() => {
      this.#drainScheduled = false;
      while (this.#host.hasListeners()) {
        const entry = this.#shift();
        if (entry === undefined) break;
        this.#host.emitItem(entry.item);
      }
      if (this.#isEmpty()) this.#tellDelivered();
    });
  }

  listenerRemoved(): void {
    if (!this.#host.hasListeners()) this.#tellDelivered();
  }

  /** Calls `done` when listeners, if there are any, have had what is kept. */
  whenDelivered(done: () => void): void {
    this.#afterEntries = done;
    if (this.#isEmpty() || !this.#host.hasListeners()) this.#tellDelivered();
    else this.scheduleDrain();
  }

  #tellDelivered(): void {
    const done = this.#afterEntries;
    this.#afterEntries = undefined;
    done?.();
  }

  /** Nothing more will come. With an error, what is kept can still be taken; without, it is dropped. */
  finish(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    if (error === undefined) {
      this.#entries = [];
      this.#head = 0;
    }
    this.#waiters.end(error);
  }

  #isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  #shift(): Entry<T> | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#head++;
    this.#lengthBytes -= entry.lengthBytes;
    if (this.#head === this.#entries.length || this.#head === COMPACT_EVERY) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    this.#updateRoom();
    return entry;
  }

  /** Room is announced again only at half the limit, so that reading does not stop and go with every item. */
  #updateRoom(): void {
    const limit = this.#host.limitBytes;
    const hasRoom = this.#hasRoom ? this.#lengthBytes < limit : this.#lengthBytes <= limit / 2;
    if (hasRoom === this.#hasRoom) return;
    this.#hasRoom = hasRoom;
    this.#host.setRoom(hasRoom);
  }
}

/** Taken entries are kept referenced until this many can be dropped at once. */
const COMPACT_EVERY = 1024;
