import { EventEmitter } from 'node:events';
import { wrongThis } from './check.ts';
import { sessionClosed } from './session-errors.ts';
import type { Kinded, SessionFeed } from './session-feed.ts';

/** What listeners get, by the name of the event. */
export type Listeners<Events> = { readonly [Name in keyof Events]: readonly unknown[] };

let feedOf: <Item extends Kinded>(session: unknown, method: string) => SessionFeed<Item>;

/**
 * What both kinds of session have in common: received events are taken by listeners (`on`) or by iterating
 * (`for await`, `receive`), not both at a time.
 *
 * The methods for listeners are those of Node's `EventEmitter`. They throw ILLEGAL_PARAM for an event that no session
 * emits or a listener that is no function, and ILLEGAL_STATE when a listener to received events is added while they are
 * taken in another way.
 */
export abstract class ReceivingSession<Events extends Listeners<Events>, Item extends Kinded>
  extends EventEmitter
  implements AsyncIterable<Item>, AsyncDisposable
{
  static {
    feedOf = (session, method) => {
      if (typeof session === 'object' && session !== null && #feed in session)
        return session.#feed as SessionFeed<never>;
      throw wrongThis(method, 'session');
    };
  }

  readonly #feed: SessionFeed<Item>;

  /** @internal */
  constructor(feed: SessionFeed<Item>) {
    super();
    this.#feed = feed;
  }

  /** Calls `listener` for each event of this name. */
  override on<Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): this {
    feedOf(this, 'on').adding(event, listener);
    return super.on(event, listener);
  }

  /** As `on`. */
  override addListener<Name extends keyof Events & string>(
    event: Name,
    listener: (...args: Events[Name]) => void,
  ): this {
    feedOf(this, 'addListener').adding(event, listener);
    return super.addListener(event, listener);
  }

  /** Calls `listener` for the next event of this name only. */
  override once<Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): this {
    feedOf(this, 'once').adding(event, listener);
    return super.once(event, listener);
  }

  /** As `on`, before the listeners that are there. */
  override prependListener<Name extends keyof Events & string>(
    event: Name,
    listener: (...args: Events[Name]) => void,
  ): this {
    feedOf(this, 'prependListener').adding(event, listener);
    return super.prependListener(event, listener);
  }

  /** As `once`, before the listeners that are there. */
  override prependOnceListener<Name extends keyof Events & string>(
    event: Name,
    listener: (...args: Events[Name]) => void,
  ): this {
    feedOf(this, 'prependOnceListener').adding(event, listener);
    return super.prependOnceListener(event, listener);
  }

  /** Takes a listener away. Frames that come without any listener wait. */
  override off<Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): this {
    feedOf(this, 'off').check(event, listener);
    super.off(event, listener);
    this.#feed.removed();
    return this;
  }

  /** As `off`. */
  override removeListener<Name extends keyof Events & string>(
    event: Name,
    listener: (...args: Events[Name]) => void,
  ): this {
    feedOf(this, 'removeListener').check(event, listener);
    super.removeListener(event, listener);
    this.#feed.removed();
    return this;
  }

  /** Takes all listeners of an event away, or all of all events. */
  override removeAllListeners(event?: string | symbol): this {
    const feed = feedOf(this, 'removeAllListeners');
    if (event !== undefined) feed.checkEvent(event);
    if (event === undefined) super.removeAllListeners();
    else super.removeAllListeners(event);
    feed.removed();
    return this;
  }

  /** The next event. Rejects with the error that ended the session, ILLEGAL_SESSION when closed. */
  async receive(): Promise<Item> {
    const next = await feedOf<Item>(this, 'receive').next();
    if (next.done === true) throw sessionClosed();
    return next.value;
  }

  /**
   * Events in order of arrival. Ends when the session is closed and throws when the connection is lost. Leaving the
   * loop does not close the session: events wait for the next loop, and beyond `receiveQueueBytes` in the daemon.
   */
  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    const feed = feedOf<Item>(this, '[Symbol.asyncIterator]');
    return {
      next: () => feed.next(),
      return: () => Promise.resolve({ value: undefined, done: true }),
    };
  }

  /** Ends the session. */
  abstract close(): Promise<void>;

  /** As `close`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    feedOf(this, '[Symbol.asyncDispose]');
    await this.close();
  }
}
