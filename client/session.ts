import { plural } from '../engine/plural.ts';
import type { DrainNotice } from '../engine/wire/drain-notice.ts';
import type { PrivateName } from '../engine/wire/ids.ts';
import { JOIN_MESS, KILL_MESS, LEAVE_MESS } from '../engine/wire/service.ts';
import { asUnreadable, checkFunction, checkNames, illegal, readFields, reading, wrongThis } from './check.ts';
import { checkGroupName } from './check-names.ts';
import { SkeinError } from './errors.ts';
import type { ReceivedEvent } from './events.ts';
import { GroupRequests } from './group-requests.ts';
import type { AcceptedSession, DaemonVersion } from './handshake.ts';
import { type BatchHandler, Receiver } from './receive/receiver.ts';
import { ReceivingSession } from './receiving-session.ts';
import type { Data } from './send/data.ts';
import { encodeTemplate, SEND_OPTION_NAMES, type SendOptions } from './send/frame-template.ts';
import { Outbound } from './send/outbound.ts';
import { Target, TargetCache, targetList } from './send/target.ts';
import { asSkeinError, sessionClosed } from './session-errors.ts';
import { RECEIVE_EVENTS, type SessionEvents } from './session-events.ts';
import { SessionFeed } from './session-feed.ts';
import type { SessionSettings } from './session-options.ts';
import { Transport } from './transport.ts';

/** Whether a value is a session, whatever its prototype says. */
export let isSession: (value: unknown) => value is Session;

/**
 * One connection to a daemon; `connect` makes it. What arrives is received in one of three ways: by iterating
 * (`for await`, `receive`), by events (`on`), or by batches (`onBatch`). Until one is chosen, frames wait.
 */
export class Session extends ReceivingSession<SessionEvents, ReceivedEvent> {
  static {
    isSession = (value): value is Session => typeof value === 'object' && value !== null && #transport in value;
  }

  readonly #accepted: AcceptedSession;
  readonly #transport: Transport;
  readonly #options: SessionSettings;
  readonly #outbound: Outbound;
  readonly #receiver: Receiver;
  readonly #feed: SessionFeed<ReceivedEvent>;
  readonly #requests: GroupRequests;
  readonly #cache = new TargetCache();
  #reading = true;
  #ended = false;
  #drainNotice: DrainNotice | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(transport: Transport, accepted: AcceptedSession, options: SessionSettings) {
    const feed = new SessionFeed<ReceivedEvent>(RECEIVE_EVENTS, 'iterating, events, or batches');
    super(feed);
    if (!reading('transport', () => transport instanceof Transport))
      throw illegal('transport', transport, 'of connect: it makes sessions');
    this.#accepted = { ...accepted, daemonVersion: Object.freeze({ ...accepted.daemonVersion }) };
    this.#transport = transport;
    this.#options = options;
    this.#outbound = new Outbound(transport.socket, options);
    this.#requests = new GroupRequests(options.membership, (kind, group) => {
      this.#sendRequest(kind === 'join' ? JOIN_MESS : LEAVE_MESS, group);
      return this.#outbound.flushed();
    });
    this.#receiver = new Receiver({
      privateName: accepted.privateName,
      receiveQueueBytes: options.receiveQueueBytes,
      awaitsAnswer: () => this.#requests.hasPending,
      hasListeners: () => feed.hasListeners,
      emitEvent: (event) => feed.emit(event),
      observe: (event) => this.#requests.observe(event),
      noticed: (notice) => this.#noticed(notice),
      setReading: (reading) => this.#setReading(reading),
      failed: (error) => transport.destroy(error),
      ended: (reason) => this.#finish(asSkeinError(reason)),
    });
    this.#feed = feed;
    feed.attach(this, this.#receiver);
    this.#receiver.receive(transport.input);
    transport.attach(this.#receiver);
  }

  /** `#name#daemon`: the sender of this session's messages, and a target that reaches only this session. */
  get privateName(): PrivateName {
    return this.#accepted.privateName;
  }

  /** What the daemon said at login. */
  get daemonVersion(): DaemonVersion {
    return this.#accepted.daemonVersion;
  }

  /** Whether the session receives membership. */
  get membership(): boolean {
    return this.#options.membership;
  }

  /** Groups this session is known to be in now; without the membership flag, those it asked to join. A copy. */
  get groups(): ReadonlySet<string> {
    return new Set(this.#requests.joined);
  }

  /** Whether it has a receiver: events, batches or a call that waits for the next event. */
  get hasReceiver(): boolean {
    return this.#feed.hasReceiver;
  }

  /** Whether the session is over or being closed. */
  get closed(): boolean {
    return this.#ended || this.#closing !== undefined;
  }

  /** What the daemon last said of its end, as the event `drain` told it; undefined: nothing. */
  get drainNotice(): DrainNotice | undefined {
    return this.#drainNotice;
  }

  /** Bytes accepted by `multicast` and not yet with the kernel. */
  get pendingBytes(): number {
    return this.#outbound.pendingBytes;
  }

  /**
   * Joins a group. Resolves when this session is in it: with the first view, or without the membership flag when the
   * request is written. At once if it is in it already. Rejects with ILLEGAL_GROUP for an illegal name, REJECT_AUTH
   * if refused.
   */
  join(group: string): Promise<void> {
    if (!isSession(this)) return Promise.reject(wrongThis('join', 'session'));
    return this.#request(() => this.#requests.join(group), group);
  }

  /** Leaves a group. Resolves with the self-leave, or without the membership flag when the request is written. */
  leave(group: string): Promise<void> {
    if (!isSession(this)) return Promise.reject(wrongThis('leave', 'session'));
    return this.#request(() => this.#requests.leave(group), group);
  }

  /**
   * Sends one message to groups and private names, with one copy to each receiver however many of them it is in. An
   * array of data is one message in pieces. False: accepted, but wait for `drained` before sending more. For
   * ownership of `data` see `Target.send`.
   *
   * Throws, with nothing sent: ILLEGAL_GROUP, ILLEGAL_SERVICE, ILLEGAL_MESSAGE_TYPE, MESSAGE_TOO_LONG, ILLEGAL_PARAM for an unknown
   * option or data that is neither text nor bytes, or the error that ended the session.
   */
  multicast(groups: string | readonly string[], data: Data | readonly Data[], options?: SendOptions): boolean {
    if (!isSession(this)) throw wrongThis('multicast', 'session');
    return this.#target(groups, options).send(data);
  }

  /** Makes groups and options ready for many messages. Throws as `multicast` does. */
  target(groups: string | readonly string[], options?: SendOptions): Target {
    if (!isSession(this)) throw wrongThis('target', 'session');
    const list = targetList(groups);
    const chosen = readFields('options', options, SEND_OPTION_NAMES) as SendOptions;
    return new Target(this.#outbound, this.privateName, list, chosen, this.#options);
  }

  /** Resolves when at most half of `sendQueueBytes` is unsent; rejects when the session ends first. */
  drained(): Promise<void> {
    if (!isSession(this)) return Promise.reject(wrongThis('drained', 'session'));
    return this.#outbound.drained();
  }

  /** Resolves when the kernel has everything sent so far; rejects when the session ends first. */
  flushed(): Promise<void> {
    if (!isSession(this)) return Promise.reject(wrongThis('flushed', 'session'));
    return this.#outbound.flushed();
  }

  /**
   * Receives by batches, the fastest way: `handler` is called with the frames of one read at a time. Returns a
   * function that takes the handler away; then frames wait again. Throws ILLEGAL_STATE while another way of receiving
   * is in use.
   */
  onBatch(handler: BatchHandler): () => void {
    if (!isSession(this)) throw wrongThis('onBatch', 'session');
    checkFunction('handler', handler);
    this.#feed.addingBatchHandler();
    this.#receiver.setBatchHandler(handler);
    return () => this.#receiver.setBatchHandler(undefined);
  }

  /** Stops handing out events and batches, and reading from the daemon, which must then queue for this session. */
  pause(): void {
    if (!isSession(this)) throw wrongThis('pause', 'session');
    this.#receiver.pause();
  }

  /** Goes on after `pause`. */
  resume(): void {
    if (!isSession(this)) throw wrongThis('resume', 'session');
    this.#receiver.resume();
  }

  /**
   * Ends the session: what was sent still goes out, then the daemon is informed. Resolves when the connection is closed,
   * or after `closeTimeoutMs`. Never rejects, but when it is called without its session: whether everything left is told by the
   * event `close`, and by `pendingBytes`.
   */
  override close(): Promise<void> {
    if (!isSession(this)) return Promise.reject(wrongThis('close', 'session'));
    if (this.#ended) this.#receiver.abandon();
    this.#closing ??= this.#ended ? Promise.resolve() : this.#close();
    return this.#closing;
  }

  /** Drops the connection at once; what is unsent is lost. To the others it looks like a crash. */
  destroy(): void {
    if (!isSession(this)) throw wrongThis('destroy', 'session');
    if (this.#ended) this.#receiver.abandon();
    this.#finish(undefined);
    this.#transport.destroy(sessionClosed());
  }

  async #close(): Promise<void> {
    const { socket } = this.#transport;
    let timedOut = false;
    const hungUp = new Promise<void>((resolve) => {
      // Reading on until the daemon hangs up: a socket closed with unread bytes resets the connection, and unsent
      // ones are lost.
      this.#transport.attach({
        receive: (input) => {
          input.start = input.end;
        },
        ended: () => resolve(),
      });
      const timeout = setTimeout(() => {
        timedOut = true;
        resolve();
      }, this.#options.closeTimeoutMs);
      socket.once('close', () => clearTimeout(timeout));
    });
    this.#sendRequest(KILL_MESS, this.privateName);
    this.#outbound.close(sessionClosed());
    this.#requests.abandon(sessionClosed());
    this.#receiver.finish(undefined);
    socket.resume();
    this.#outbound.flushed().then(
      () => socket.end(),
      () => undefined,
    );
    await hungUp;
    const loss = this.#lossOf(timedOut);
    socket.destroy();
    this.#finish(undefined, loss);
  }

  /** What closing could not bring to the daemon, or does not know to be there. */
  #lossOf(timedOut: boolean): SkeinError | undefined {
    const { pendingBytes } = this.#outbound;
    if (pendingBytes === 0 && !timedOut) return undefined;
    const what =
      pendingBytes > 0
        ? `${pendingBytes} ${plural(pendingBytes, 'byte')} not sent`
        : 'the daemon has not confirmed that it has taken what was sent last';
    const why = timedOut
      ? `it did not take them and hang up within closeTimeoutMs ${this.#options.closeTimeoutMs}`
      : 'the connection ended before';
    return new SkeinError('CONNECTION_CLOSED', `session closed, but ${what}: ${why}`);
  }

  #request(send: () => Promise<void>, group: string): Promise<void> {
    try {
      checkGroupName(group);
      const done = send();
      this.#receiver.updateReading();
      return done;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #sendRequest(typeBits: number, group: string): void {
    this.#outbound.send(encodeTemplate(typeBits, this.privateName, [group], 0), '');
  }

  #target(groups: string | readonly string[], options: SendOptions | undefined): Target {
    const known = this.#knownTarget(groups, options);
    if (known !== undefined) return known;
    const target = this.target(groups, options);
    this.#cache.add(target);
    return target;
  }

  /** What the checks of `target` would refuse is not found here either. */
  #knownTarget(groups: string | readonly string[], options: SendOptions | undefined): Target | undefined {
    try {
      if (typeof groups !== 'string' && !Array.isArray(groups)) return undefined;
      if (options !== undefined) checkNames('options', options, SEND_OPTION_NAMES);
      return this.#cache.find(groups, options);
    } catch (error) {
      throw asUnreadable('groups and options', error);
    }
  }

  #noticed(notice: DrainNotice): void {
    const { msLeft, addresses } = notice;
    this.#drainNotice = Object.freeze({ msLeft, addresses: Object.freeze(addresses) });
    this.#feed.emitDrain(this.#drainNotice);
  }

  #setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (reading) this.#transport.socket.resume();
    else this.#transport.socket.pause();
  }

  /** The end of everything, once: by this side, or with the error that ended the connection. */
  #finish(error: SkeinError | undefined, loss?: SkeinError): void {
    if (this.#ended) return;
    this.#ended = true;
    const reason = error ?? sessionClosed();
    this.#outbound.abandon(reason);
    this.#requests.abandon(reason);
    const byEvents = this.#receiver.hasBatchHandler || this.#feed.hasListeners;
    this.#receiver.finish(error);
    this.#receiver.whenDelivered(() => process.nextTick(() => this.#feed.emitEnd(error, byEvents, error ?? loss)));
  }
}
