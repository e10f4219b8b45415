import type { EventEmitter } from 'node:events';
import type { DrainNotice } from '../engine/wire/drain-notice.ts';
import type { SkeinError } from './errors.ts';
import { checkEvent, checkListener } from './listeners.ts';
import { mixedReceiving } from './session-errors.ts';
import { throwLater } from './throw-later.ts';

/** An object told apart by its kind. */
export interface Kinded {
  /** Also the name of its event. */
  readonly kind: string;
}

/** Where received items wait: the receiver of a session, or the inbox of a flush session. */
export interface FeedSource<Item> {
  /** A batch handler takes what arrives, so there are no items. */
  readonly hasBatchHandler: boolean;
  /** Somebody iterates and waits for the next item. */
  readonly hasWaiters: boolean;
  /** Gives what waits to the listeners, once the program's current turn is over. */
  scheduleDrain(): void;
  /** A listener was taken away: perhaps nobody is left whom the end has to wait for. */
  listenerRemoved(): void;
  /** The next item for an iterator. */
  next(): Promise<IteratorResult<Item, undefined>>;
}

/**
 * Gives the items that a session receives to its listeners or to its iterators, keeps the ways of receiving apart, and
 * tells of the end. Both kinds of session have one.
 */
export class SessionFeed<Item extends Kinded> {
  readonly #kinds: readonly Item['kind'][];
  readonly #names: readonly string[];
  readonly #ways: string;
  #emitter: EventEmitter | undefined;
  #source: FeedSource<Item> | undefined;

  /**
   * @param kinds the events that give out items, which are the kinds of items
   * @param ways the ways of receiving, for errors: `iterating or events`
   */
  constructor(kinds: readonly Item['kind'][], ways: string) {
    this.#kinds = kinds;
    this.#names = [...kinds, 'drain', 'error', 'close'];
    this.#ways = ways;
  }

  /** Connects both ends; called once, by the constructor of the session. */
  attach(emitter: EventEmitter, source: FeedSource<Item>): void {
    this.#emitter = emitter;
    this.#source = source;
  }

  /** Whether anyone listens to items. Asked before each of them. */
  get hasListeners(): boolean {
    const emitter = this.#emitter!;
    for (const kind of this.#kinds) if (emitter.listenerCount(kind) > 0) return true;
    return false;
  }

  /** Whether anyone receives: by events, by batches, or waiting for the next item. */
  get hasReceiver(): boolean {
    return this.#source!.hasBatchHandler || this.#source!.hasWaiters || this.hasListeners;
  }

  /** What a listener throws is the program's uncaught exception; the items after it must not be lost with it. */
  emit(item: Item): void {
    try {
      this.#emitter!.emit(item.kind, item);
    } catch (error) {
      throwLater(error);
    }
  }

  /** The daemon drains. What a listener throws is the program's uncaught exception. */
  emitDrain(notice: DrainNotice): void {
    try {
      this.#emitter!.emit('drain', notice);
    } catch (error) {
      throwLater(error);
    }
  }

  /**
   * Tells of the end. Receivers by events get `lost` by Node's rule for errors; iterators get it thrown. What a listener throws, and an
   * error that nobody listens to, is the program's uncaught exception, each of them, and keeps no other listener from its event.
   *
   * @param byEvents whether the program received by events or batches
   * @param outcome what `close` tells
   */
  emitEnd(lost: SkeinError | undefined, byEvents: boolean, outcome: SkeinError | undefined): void {
    const emitter = this.#emitter!;
    try {
      if (lost !== undefined && (byEvents || emitter.listenerCount('error') > 0)) emitter.emit('error', lost);
    } catch (error) {
      throwLater(error);
    }
    try {
      emitter.emit('close', outcome);
    } catch (error) {
      throwLater(error);
    }
  }

  /** After a listener was taken away. */
  removed(): void {
    this.#source!.listenerRemoved();
  }

  /** Before a listener is taken away: ILLEGAL_PARAM for an event that no session emits, and for what is no function. */
  check(event: unknown, listener: unknown): void {
    checkListener(event, listener, this.#names);
  }

  /** Before all listeners of an event are taken away: ILLEGAL_PARAM for an event that no session emits. */
  checkEvent(event: unknown): void {
    checkEvent(event, this.#names);
  }

  /** Before a listener is added: as `check`, and ILLEGAL_STATE while another way of receiving is in use. */
  adding(event: unknown, listener: unknown): void {
    this.check(event, listener);
    const source = this.#source!;
    if (!(this.#kinds as readonly unknown[]).includes(event)) return;
    if (source.hasBatchHandler || source.hasWaiters) throw mixedReceiving(this.#ways);
    source.scheduleDrain();
  }

  /** Before a batch handler is set: ILLEGAL_STATE while another way of receiving is in use. */
  addingBatchHandler(): void {
    if (this.hasReceiver) throw mixedReceiving(this.#ways);
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const source = this.#source!;
    return source.hasBatchHandler || this.hasListeners ? Promise.reject(mixedReceiving(this.#ways)) : source.next();
  }
}
