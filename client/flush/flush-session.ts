import type { DrainNotice } from '../../engine/wire/drain-notice.ts';
import type { PrivateName } from '../../engine/wire/ids.ts';
import { checkString, illegal, readFields, readStrings, wrongThis } from '../check.ts';
import { connectWith } from '../connect.ts';
import { type ConnectOptions, resolveConnectOptions } from '../connect-options.ts';
import { SkeinError } from '../errors.ts';
import type { ReceivedEvent } from '../events.ts';
import { Inbox } from '../inbox.ts';
import { ReceivingSession } from '../receiving-session.ts';
import { type Data, piecesOf } from '../send/data.ts';
import { isSession, type Session } from '../session.ts';
import { mixedReceiving, sessionClosed } from '../session-errors.ts';
import { type EndEvents, RECEIVE_EVENTS } from '../session-events.ts';
import { SessionFeed } from '../session-feed.ts';
import { checkBytes, DEFAULT_RECEIVE_QUEUE_BYTES } from '../session-options.ts';
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
export interface FlushSessionEvents extends EndEvents {
  /** The application must answer with `flush(group)`. */
  flushRequest: [request: FlushRequest];
  /** A view that all its members have agreed to. */
  view: [view: FlushView];
  /** From here to the next view, guarantees hold among the members that come along. */
  transition: [transition: FlushTransition];
  /** This session has left a group. */
  selfLeave: [selfLeave: FlushSelfLeave];
  /** A message, in the view it was sent in. */
  message: [message: FlushMessage];
}

/** Options of a flush session that takes over a session. */
export interface FlushSessionOptions {
  /** Bytes of untaken events at which reading from the daemon stops; default 4 MiB. */
  readonly receiveQueueBytes?: number;
}

const FLUSH_RECEIVE_EVENTS = ['message', 'view', 'flushRequest', 'transition', 'selfLeave'] as const;
const WAYS = 'iterating or events';
/** Groups that an error names. */
const MOST_NAMED = 3;

/** What an event counts in the queue besides its data. */
const EVENT_OVERHEAD_BYTES = 128;

interface PendingJoin {
  readonly resolve: (view: FlushView) => void;
  readonly reject: (reason: unknown) => void;
}

let isFlushSession: (value: unknown) => value is FlushSession;

/**
 * Virtual synchrony on top of a session: a message is delivered in the view it was sent in, to receivers the sender
 * knew, because a view is installed only after all its members have said they are done with the one before
 * (client-protocol.md, section 8). All members of a group must use it. Speaks with programs of Spread's own flush
 * library.
 *
 * The application answers each `flushRequest` with `flush(group)`, and then may not send to the group until its next
 * view. What is received is taken by iterating or by events, not both.
 */
export class FlushSession extends ReceivingSession<FlushSessionEvents, FlushEvent> {
  static {
    isFlushSession = (value): value is FlushSession => typeof value === 'object' && value !== null && #state in value;
  }

  readonly #session: Session;
  readonly #state: FlushState;
  readonly #inbox: Inbox<FlushEvent>;
  readonly #feed: SessionFeed<FlushEvent>;
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
    const resolved = resolveConnectOptions(options);
    if (!resolved.membership) throw withoutMembership();
    return new FlushSession(await connectWith(resolved), { receiveQueueBytes: resolved.receiveQueueBytes });
  }

  /**
   * Takes over `session`, which must have the membership flag, be in no group, and have no other receiver
   * it. Throws ILLEGAL_PARAM for what is no session or no option, ILLEGAL_STATE for a session in use, ILLEGAL_SESSION for a closed one.
   */
  constructor(session: Session, options: FlushSessionOptions = {}) {
    const feed = new SessionFeed<FlushEvent>(FLUSH_RECEIVE_EVENTS, WAYS);
    super(feed);
    if (!isSession(session)) throw illegal('session', session, 'a Session, as connect gives it');
    const { receiveQueueBytes = DEFAULT_RECEIVE_QUEUE_BYTES } = readFields('options', options, ['receiveQueueBytes']);
    const limitBytes = checkBytes('receiveQueueBytes', receiveQueueBytes);
    if (!session.membership) throw withoutMembership();
    if (session.closed) throw sessionClosed();
    if (session.groups.size > 0)
      throw new SkeinError(
        'ILLEGAL_STATE',
        `session is in groups (${[...session.groups].slice(0, MOST_NAMED).join(', ')}): it must be in none`,
      );
    if (session.hasReceiver) throw mixedReceiving(WAYS);
    this.#session = session;
    this.#inbox = new Inbox({
      limitBytes,
      hasListeners: () => feed.hasListeners,
      emitItem: (event) => feed.emit(event),
      setRoom: (room) => {
        this.#inboxHasRoom = room;
        this.#updateReading();
      },
    });
    this.#state = new FlushState(session.privateName, {
      deliver: (event) => this.#delivered.push(event),
      send: (send) => this.#send(send),
    });
    for (const event of RECEIVE_EVENTS) session.on(event, (received: ReceivedEvent) => this.#onSpread(received));
    session.on('drain', (notice) => feed.emitDrain(notice));
    session.on('error', () => undefined);
    session.on('close', (error) => this.#finish(error));
    this.#feed = feed;
    feed.attach(this, this.#inbox);
  }

  /** `#name#daemon`. */
  get privateName(): PrivateName {
    return this.#session.privateName;
  }

  /** As of `Session`. */
  get drainNotice(): DrainNotice | undefined {
    return this.#session.drainNotice;
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
   * Sends to some members of the group's view. Throws as `multicast`, and ILLEGAL_RECEIVERS for a receiver that is not in the
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

  /** As `Session.close`. */
  override close(): Promise<void> {
    if (!isFlushSession(this)) return Promise.reject(wrongThis('close', 'session'));
    this.#closing = true;
    this.#inbox.finish(undefined);
    return this.#session.close();
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

  /** A full queue stops reading, but not while an answer is awaited that only reading on can bring. */
  #updateReading(): void {
    if (this.#inboxHasRoom || this.#joins.size > 0 || this.#leaves > 0) this.#session.resume();
    else this.#session.pause();
  }

  #finish(error: SkeinError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const reason = error ?? sessionClosed();
    for (const join of this.#joins.values()) join.reject(reason);
    this.#joins.clear();
    const byEvents = this.#feed.hasListeners;
    this.#inbox.finish(error);
    // A program that closes learns from `close` what was lost.
    const lost = this.#closing ? undefined : error;
    this.#inbox.whenDelivered(() => this.#feed.emitEnd(lost, byEvents, error));
  }
}

const SEND_OPTION_NAMES = ['service', 'type', 'selfDiscard'] as const;
/** More than a group can have. */
const MAX_LISTED_RECEIVERS = 1_000_000;

/** What is legal in them is for the layers below to say. */
const sendOptions = (options: unknown): FlushSendOptions =>
  readFields('options', options, SEND_OPTION_NAMES) as FlushSendOptions;

const receiverList = (receivers: unknown): readonly string[] =>
  readStrings('receivers', receivers, 'an array of private names', MAX_LISTED_RECEIVERS, 'ILLEGAL_RECEIVERS');

const withoutMembership = (): SkeinError =>
  new SkeinError('ILLEGAL_PARAM', 'membership false: the flush layer needs a session with the membership flag');
