import { EventEmitter } from 'node:events';
import type { PrivateName } from '../../engine/wire/ids.ts';
import { checkString, illegal, readElements, readFields, reading, wrongThis } from '../check.ts';
import { connectWith } from '../connect.ts';
import { SkeinError } from '../errors.ts';
import type { ReceivedEvent } from '../events.ts';
import { Inbox } from '../inbox.ts';
import { guardListeners } from '../listeners.ts';
import { type ConnectOptions, checkBytes, resolveOptions } from '../options.ts';
import { type Data, piecesOf } from '../send/data.ts';
import { isSession, type Session } from '../session.ts';
import { mixedReceiving, sessionClosed } from '../session-errors.ts';
import { throwLater } from '../throw-later.ts';
import type {
  FlushEvent,
  FlushMessage,
  FlushRequest,
  FlushSelfLeave,
  FlushTransition,
  FlushView,
} from './flush-events.ts';
import { type FlushSendOptions, FlushState } from './flush-state.ts';
import type { SpreadSend } from './flush-wire.ts';

/** Events of a flush session and what their listeners get. */
export interface FlushSessionEvents {
  flushRequest: [request: FlushRequest];
  view: [view: FlushView];
  transition: [transition: FlushTransition];
  selfLeave: [selfLeave: FlushSelfLeave];
  message: [message: FlushMessage];
  /** The connection was lost. As usual, without a listener it is an uncaught exception; not if one iterates. */
  error: [error: SkeinError];
  close: [error: SkeinError | undefined];
  newListener: [event: string | symbol, listener: (...args: unknown[]) => void];
}

export interface FlushSessionOptions {
  /** Bytes of untaken events at which reading from the daemon stops; default 4 MiB. */
  readonly receiveQueueBytes?: number;
}

const RECEIVE_EVENTS = ['message', 'view', 'flushRequest', 'transition', 'selfLeave'] as const;
const isReceiveEvent = (event: string | symbol): boolean => (RECEIVE_EVENTS as readonly unknown[]).includes(event);

const DEFAULT_RECEIVE_QUEUE_BYTES = 4 * 1024 * 1024;
/** What an event counts in the queue besides its data. */
const EVENT_OVERHEAD_BYTES = 128;

interface PendingJoin {
  readonly resolve: (view: FlushView) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Virtual synchrony on top of a session: a message is delivered in the view it was sent in, to receivers the sender
 * knew, because a view is installed only after all its members have said they are done with the one before
 * (client-protocol.md, section 8). All members of a group must use it. Speaks with programs of Spread's own flush
 * library.
 *
 * The application answers each `flushRequest` with `flush(group)`, and then may not send to the group until its next
 * view. What is received is taken by iterating or by events, not both.
 */
let isFlushSession: (value: unknown) => value is FlushSession;

export class FlushSession
  extends EventEmitter<FlushSessionEvents>
  implements AsyncIterable<FlushEvent>, AsyncDisposable
{
  static {
    isFlushSession = (value): value is FlushSession => typeof value === 'object' && value !== null && #state in value;
  }

  readonly #session: Session;
  readonly #state: FlushState;
  readonly #inbox: Inbox<FlushEvent>;
  /** What the state machine delivers waits here until it has finished its step, so that listeners meet it at rest. */
  readonly #delivered: FlushEvent[] = [];
  readonly #joins = new Map<string, PendingJoin>();
  #leaves = 0;
  #inboxHasRoom = true;
  #accepted = true;
  #closing = false;
  #ended = false;

  /** Opens a session and puts a flush session on it. Rejects as `connect` does. */
  static async connect(options: Omit<ConnectOptions, 'membership'> = {}): Promise<FlushSession> {
    const resolved = resolveOptions(options);
    if (!resolved.membership) throw withoutMembership();
    return new FlushSession(await connectWith(resolved), { receiveQueueBytes: resolved.receiveQueueBytes });
  }

  /**
   * Takes over `session`, which must have the membership flag, be in no group, and have nobody else receiving from
   * it. Throws ILLEGAL_PARAM for what is no session or no option, ILLEGAL_STATE for a session in use, ILLEGAL_SESSION for a closed one.
   */
  constructor(session: Session, options: FlushSessionOptions = {}) {
    super();
    if (!isSession(session)) throw illegal('session', session, 'a Session, as connect gives it');
    const { receiveQueueBytes = DEFAULT_RECEIVE_QUEUE_BYTES } = readFields('options', options, ['receiveQueueBytes']);
    const limitBytes = checkBytes('receiveQueueBytes', receiveQueueBytes);
    if (!session.membership) throw withoutMembership();
    if (session.closed) throw sessionClosed();
    if (session.groups.size > 0)
      throw new SkeinError('ILLEGAL_STATE', `session is in ${session.groups.size} groups: it must be in none`);
    if (session.hasReceiver) throw mixedReceiving('iterating or events');
    this.#session = session;
    this.#inbox = new Inbox({
      limitBytes,
      hasListeners: () => this.#hasReceiveListeners(),
      emitItem: (event) => this.#emitEvent(event),
      setRoom: (room) => {
        this.#inboxHasRoom = room;
        this.#updateReading();
      },
    });
    this.#state = new FlushState(session.privateName, {
      deliver: (event) => this.#delivered.push(event),
      send: (send) => this.#send(send),
    });
    const onEvent = (event: ReceivedEvent): void => this.#onSpread(event);
    session.on('message', onEvent);
    session.on('membership', onEvent);
    session.on('transition', onEvent);
    session.on('selfLeave', onEvent);
    session.on('reject', onEvent);
    session.on('error', () => undefined);
    session.on('close', (error) => this.#finish(error));
    this.on('newListener', (event) => {
      if (!isReceiveEvent(event)) return;
      if (this.#inbox.hasWaiters) throw mixedReceiving('iterating or events');
      this.#inbox.scheduleDrain();
    });
  }

  /** `#name#daemon`. */
  get privateName(): PrivateName {
    return this.#session.privateName;
  }

  /**
   * Joins a group. Resolves with its first view. Rejects with ILLEGAL_GROUP if already a member or becoming or
   * ceasing to be one.
   */
  join(group: string): Promise<FlushView> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('join', 'session'));
    try {
      this.#state.beginJoin(group);
    } catch (error) {
      return Promise.reject(error);
    }
    const view = new Promise<FlushView>((resolve, reject) => this.#joins.set(group, { resolve, reject }));
    view.catch(() => undefined);
    this.#updateReading();
    this.#session.join(group).catch((error: unknown) => {
      this.#state.cancelJoin(group);
      this.#joins.get(group)?.reject(error);
      this.#joins.delete(group);
      this.#updateReading();
    });
    return view;
  }

  /** Leaves a group. Resolves with the self-leave. Rejects with ILLEGAL_GROUP when not a member. */
  leave(group: string): Promise<void> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('leave', 'session'));
    try {
      this.#state.beginLeave(group);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#leaves++;
    this.#updateReading();
    const left = this.#session.leave(group).finally(() => {
      this.#leaves--;
      this.#updateReading();
    });
    left.catch(() => undefined);
    return left;
  }

  /**
   * Answers a `flushRequest`: this member is done sending in the group's view. Throws ILLEGAL_STATE when there is no
   * request to answer, ILLEGAL_GROUP when not a member.
   */
  flush(group: string): void {
    if (!isFlushSession(this)) throw wrongThis('flush', 'session');
    this.#state.flush(group);
  }

  /**
   * Sends to all members of the group's view, or to a private name. False: wait for `drained` before sending more.
   * Throws ILLEGAL_GROUP when not a member, ILLEGAL_STATE between `flush` and the next view, ILLEGAL_MESSAGE_TYPE,
   * MESSAGE_TOO_LONG.
   */
  multicast(group: string, data: Data | readonly Data[], options?: FlushSendOptions): boolean {
    if (!isFlushSession(this)) throw wrongThis('multicast', 'session');
    this.#state.multicast(group, piecesOf(data), sendOptions(options));
    return this.#accepted;
  }

  /**
   * Sends to some members of the group's view. Throws as `multicast`, and ILLEGAL_RECEIVERS for one who is not in the
   * view.
   */
  subgroupMulticast(
    group: string,
    receivers: readonly string[],
    data: Data | readonly Data[],
    options?: FlushSendOptions,
  ): boolean {
    if (!isFlushSession(this)) throw wrongThis('subgroupMulticast', 'session');
    this.#state.subgroupMulticast(group, receiverList(receivers), piecesOf(data), sendOptions(options));
    return this.#accepted;
  }

  /** Sends to one member of the group's view. */
  unicast(group: string, receiver: string, data: Data | readonly Data[], options?: FlushSendOptions): boolean {
    if (!isFlushSession(this)) throw wrongThis('unicast', 'session');
    checkString('receiver', receiver, 'ILLEGAL_RECEIVERS');
    return this.subgroupMulticast(group, [receiver], data, options);
  }

  /** As `Session.drained`. */
  drained(): Promise<void> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('drained', 'session'));
    return this.#session.drained();
  }

  /** As `Session.flushed`: what was sent is with the kernel. Not to be confused with `flush`. */
  flushed(): Promise<void> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('flushed', 'session'));
    return this.#session.flushed();
  }

  /** The next event. Rejects with the error that ended the session, ILLEGAL_SESSION when closed. */
  async receive(): Promise<FlushEvent> {
    if (!isFlushSession(this)) throw wrongThis('receive', 'session');
    const next = await this.#next();
    if (next.done === true) throw sessionClosed();
    return next.value;
  }

  /** Events in order. Ends when the session is closed and throws when the connection is lost. */
  [Symbol.asyncIterator](): AsyncIterator<FlushEvent, undefined> {
    if (!isFlushSession(this)) throw wrongThis('[Symbol.asyncIterator]', 'session');
    return {
      next: () => this.#next(),
      return: () => Promise.resolve({ value: undefined, done: true }),
    };
  }

  /** As `Session.close`. */
  close(): Promise<void> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('close', 'session'));
    this.#closing = true;
    this.#inbox.finish(undefined);
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('[Symbol.asyncDispose]', 'session'));
    return this.close();
  }

  #onSpread(event: ReceivedEvent): void {
    this.#state.onSpread(event);
    for (const delivered of this.#delivered.splice(0)) {
      if (delivered.kind === 'view') this.#resolveJoin(delivered);
      const dataLength = delivered.kind === 'message' ? delivered.data.length : 0;
      this.#inbox.push(delivered, dataLength + EVENT_OVERHEAD_BYTES);
    }
  }

  #resolveJoin(view: FlushView): void {
    const join = this.#joins.get(view.group);
    if (join === undefined) return;
    this.#joins.delete(view.group);
    join.resolve(view);
    this.#updateReading();
  }

  #send(send: SpreadSend): void {
    const { groups, service, type, selfDiscard, subgroupCast, data } = send;
    this.#accepted = this.#session.multicast(groups, data, { service, type, selfDiscard, subgroupCast });
  }

  #next(): Promise<IteratorResult<FlushEvent, undefined>> {
    return this.#hasReceiveListeners() ? Promise.reject(mixedReceiving('iterating or events')) : this.#inbox.next();
  }

  #hasReceiveListeners(): boolean {
    for (const event of RECEIVE_EVENTS) if (this.listenerCount(event) > 0) return true;
    return false;
  }

  /** A full queue stops reading, but not while an answer is awaited that only reading on can bring. */
  #updateReading(): void {
    if (this.#inboxHasRoom || this.#joins.size > 0 || this.#leaves > 0) this.#session.resume();
    else this.#session.pause();
  }

  /** What a listener throws is the program's uncaught exception; the events after it must not be lost with it. */
  #emitEvent(event: FlushEvent): void {
    try {
      this.#emitByKind(event);
    } catch (error) {
      throwLater(error);
    }
  }

  #emitByKind(event: FlushEvent): void {
    switch (event.kind) {
      case 'message':
        this.emit('message', event);
        return;
      case 'view':
        this.emit('view', event);
        return;
      case 'flushRequest':
        this.emit('flushRequest', event);
        return;
      case 'transition':
        this.emit('transition', event);
        return;
      case 'selfLeave':
        this.emit('selfLeave', event);
    }
  }

  #finish(error: SkeinError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const reason = error ?? sessionClosed();
    for (const join of this.#joins.values()) join.reject(reason);
    this.#joins.clear();
    const byEvents = this.#hasReceiveListeners();
    this.#inbox.finish(error);
    try {
      // A program that closes learns from `close` what was lost.
      if (error !== undefined && !this.#closing && (byEvents || this.listenerCount('error') > 0))
        this.emit('error', error);
    } finally {
      this.emit('close', error);
    }
  }
}

guardListeners(FlushSession.prototype, ['error', 'close', ...RECEIVE_EVENTS]);

const SEND_OPTION_NAMES = ['service', 'type', 'selfDiscard'] as const;
/** More than a group can have. */
const MAX_LISTED_RECEIVERS = 1_000_000;

/** A copy, with what is given; what is legal in it is for the layers below to say. */
function sendOptions(options: unknown): FlushSendOptions {
  const { service, type, selfDiscard } = readFields('options', options, SEND_OPTION_NAMES) as FlushSendOptions;
  return {
    ...(service === undefined ? {} : { service }),
    ...(type === undefined ? {} : { type }),
    ...(selfDiscard === undefined ? {} : { selfDiscard }),
  };
}

function receiverList(receivers: unknown): readonly string[] {
  const list = reading('receivers', () =>
    Array.isArray(receivers) ? readElements('receivers', receivers, MAX_LISTED_RECEIVERS) : null,
  );
  if (list === null) throw illegal('receivers', receivers, 'an array of private names', 'ILLEGAL_RECEIVERS');
  return list.map((receiver, i) => checkString(`receivers[${i}]`, receiver, 'ILLEGAL_RECEIVERS'));
}

const withoutMembership = (): SkeinError =>
  new SkeinError('ILLEGAL_PARAM', 'membership false: the flush layer needs a session with the membership flag');
