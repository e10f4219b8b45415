/**
 * The delivery agent: owns client connections. Takes what clients send to the ring agent, and what is ordered to the clients.
 */
import type { Socket } from 'node:net';
import { DeliveryCounter, OrderingCounter } from '../engine/buffers/counters.ts';
import type { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import { type OrderedLogMemory, OrderedLogReader } from '../engine/buffers/ordered-log.ts';
import { type AuthPolicy, ServerHandshake } from '../engine/wire/handshake.ts';
import { sessionHandle } from '../engine/wire/ids.ts';
import { nameWords } from '../engine/wire/name-hash.ts';
import { RESULT_CODES } from '../engine/wire/result-codes.ts';
import { isSilenceError } from '../engine/wire/tcp-silence.ts';
import type { Agent } from './agent.ts';
import type { Authenticator } from './delivery/authenticator.ts';
import { shareKey } from './delivery/client-address.ts';
import { Departures } from './delivery/departures.ts';
import { EndReports } from './delivery/end-reports.ts';
import { Farewell } from './delivery/farewell.ts';
import { FramePump } from './delivery/frame-pump.ts';
import { Greeter, HANDSHAKE_READ_BYTES } from './delivery/greeter.ts';
import { InputBudget } from './delivery/input-budget.ts';
import {
  type BoundAddress,
  type ListenAddress,
  Listener,
  type ListenerOptions,
  type ReadMode,
} from './delivery/listener.ts';
import type { SlowConsumerLimits } from './delivery/log-consumer.ts';
import { LogDelivery } from './delivery/log-delivery.ts';
import { NameTable } from './delivery/name-table.ts';
import { QueueCap } from './delivery/queue-cap.ts';
import { RefusalLog } from './delivery/refusal-log.ts';
import { ClientSession } from './delivery/session.ts';
import { SessionInput } from './delivery/session-input.ts';
import { SessionOutput } from './delivery/session-output.ts';
import type { SlowReason } from './delivery/slow-consumers.ts';
import { SubmitPort } from './delivery/submit-port.ts';
import { VanishedClients } from './delivery/vanished-clients.ts';
import type { Log } from './log.ts';

/** All connections of a worker read into one buffer of this size: what one read brings is handled before the next. */
const READ_BUFFER_BYTES = 128 * 1024;

export interface DeliveryOptions {
  readonly worker: number;
  readonly workers: number;
  readonly daemonName: string;
  readonly maxSessions: number;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  /** Of all sessions of this worker. */
  readonly maxInputBytes: number;
  /** 0: none. */
  readonly clientTimeoutMs: number;
  readonly auth: AuthPolicy;
  readonly limits: SlowConsumerLimits;
  /** Of what waits for all clients of the daemon together. */
  readonly maxQueuedBytes: number;
  /** Groups that one client may be in. */
  readonly maxSessionGroups: number;
}

export interface DeliveryLinks {
  readonly log: OrderedLogMemory;
  readonly submit: SharedArrayBuffer;
  readonly requests: SharedArrayBuffer;
  readonly ringDoorbell: DoorbellRinger;
  readonly counters: Float64Array;
  /** Those of every delivery worker. */
  readonly workersCounters: readonly Float64Array[];
  readonly ringCounters: Float64Array;
  readonly authenticator: Authenticator;
  readonly logger: Log;
  /** Asks the thread to run a duty cycle soon: a socket brought work. */
  readonly schedule: () => void;
  readonly now: () => number;
}

export class DeliveryAgent implements Agent {
  readonly name: string;
  readonly counters: Float64Array;
  readonly #options: DeliveryOptions;
  readonly #links: DeliveryLinks;
  readonly #log: OrderedLogReader;
  readonly #logBytes: Buffer;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #readView: DataView;
  readonly #shortBuffer = Buffer.allocUnsafeSlow(HANDSHAKE_READ_BYTES);
  readonly #shortView: DataView;
  readonly #sessions = new Map<number, ClientSession>();
  readonly #bySocket = new WeakMap<Socket, ClientSession>();
  readonly #names = new NameTable();
  readonly #port: SubmitPort;
  readonly #pump: FramePump;
  readonly #greeter: Greeter;
  readonly #delivery: LogDelivery;
  readonly #listener: Listener;
  readonly #departures: Departures;
  readonly #refusals: RefusalLog;
  readonly #reports: EndReports;
  readonly #farewell: Farewell;
  readonly #vanished: VanishedClients;
  readonly #input: InputBudget;
  #stalled: ClientSession[] = [];
  #serial = 0;
  #clientsBlocked = false;

  constructor(options: DeliveryOptions, links: DeliveryLinks) {
    this.name = `delivery-${options.worker}`;
    this.#options = options;
    this.#links = links;
    this.counters = links.counters;
    this.#log = new OrderedLogReader(links.log, options.worker);
    this.#logBytes = Buffer.from(links.log.data);
    this.#readView = new DataView(this.#readBuffer.buffer, this.#readBuffer.byteOffset, READ_BUFFER_BYTES);
    this.#shortView = new DataView(this.#shortBuffer.buffer, this.#shortBuffer.byteOffset, HANDSHAKE_READ_BYTES);
    this.#refusals = new RefusalLog(links.logger);
    this.#reports = new EndReports(options, links.counters, links.logger);
    this.#vanished = new VanishedClients(
      { timeoutMs: options.clientTimeoutMs, now: links.now, vanished: (session) => this.#endVanished(session) },
      this.#sessions,
    );
    this.#input = new InputBudget(options.maxInputBytes, this.#sessions, links.counters, links.now, {
      isRingFull: () => this.#clientsBlocked || this.#stalled.length > 0,
      end: (session, keptBytes) => this.#endIncomplete(session, keptBytes),
      inputEnded: (session) => this.#end(session, 'client closed the connection'),
    });
    this.#port = new SubmitPort(links.submit, links.requests);
    this.#departures = new Departures(this.#sessions, this.#names, this.#port, links.counters, links.schedule);
    this.#farewell = new Farewell(this.#sessions, links.counters, links.logger, links.now);
    this.#pump = new FramePump(this.#port, links.counters, options.maxSessionGroups, {
      endSession: (session, reason, protocolError) => this.#endByInput(session, reason, protocolError),
      stalled: (session) => this.#stalled.push(session),
      markDirty: (session) => this.#delivery.markDirty(session),
    });
    this.#greeter = new Greeter(options, this.#port, links.authenticator, links.counters, {
      opened: (session) => this.#opened(session),
      refused: (session, bytes, reason) => this.#refuse(session, bytes, reason),
      crowded: (reason) => this.#refusals.crowded(reason, links.now()),
    });
    this.#delivery = new LogDelivery(
      this.#log,
      this.#sessions,
      this.#names,
      options,
      links.counters,
      links.ringCounters,
      new QueueCap(options.maxQueuedBytes, links.counters, links.workersCounters),
      {
        tooSlow: (session, frames, bytes, reason) => this.#tooSlow(session, frames, bytes, reason),
        nameAccepted: (session) => this.#nameAccepted(session),
        nameRefused: (session, code) => this.#nameRefused(session, code),
        sessionEnded: (session) => this.#departures.ended(session),
        clientsBlocked: (blocked) => this.#blockClients(blocked),
        schedule: links.schedule,
      },
    );
    this.#listener = new Listener(
      this.#readBuffer,
      this.#shortBuffer,
      (socket, bytes, lengthBytes) => this.#onRead(socket, bytes, lengthBytes),
      (socket, mode) => this.#onAccept(socket, mode),
      (error) => this.#onAcceptError(error),
    );
  }

  listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    return this.#listener.listen(address, options);
  }

  doWork(nowMs: number): number {
    let work = this.#greeter.poll(nowMs);
    this.#refusals.poll(nowMs);
    this.#vanished.poll(
      nowMs,
      this.counters[DeliveryCounter.SocketWrites]! + this.counters[DeliveryCounter.ConnectionsAccepted]!,
    );
    work += this.#departures.poll();
    work += this.#resumeStalled();
    this.#input.poll(nowMs);
    work += this.#delivery.work();
    if (this.#farewell.isHangingUp) this.#sayGoodbye();
    if (this.#port.publish()) work++;
    // Records for the ring agent, or room in the log that it may be waiting for.
    if (work > 0) this.#links.ringDoorbell.ring();
    return work;
  }

  nextDeadlineMs(): number {
    return Math.min(this.#greeter.nextDeadlineMs(), this.#vanished.nextDeadlineMs());
  }

  hasWork(): boolean {
    return this.#delivery.hasWork();
  }

  /** Clients that are here are served on: what they have sent is taken, and what comes of it is delivered. */
  drain(): void {
    this.#listener.close();
    this.#farewell.begin();
    for (const session of this.#sessions.values()) {
      if (session.state === 'handshake') this.#refuse(session, new Uint8Array(0), 'daemon is stopping');
    }
  }

  hangUp(): void {
    this.#farewell.hangUp();
  }

  /** Then what was submitted is ordered and in the log, and hanging up delivers the log. */
  drained(): boolean {
    if (!this.#farewell.isStopping) return false;
    if (this.#farewell.isHangingUp && this.#delivery.blockedCount > 0) return false;
    const isTaken = this.#stalled.length === 0 && this.#input.isIdle;
    return this.#farewell.isDone() && isTaken && this.#port.isEmpty();
  }

  close(): void {
    this.#listener.close();
    this.#greeter.close();
    this.#farewell.tellWhatIsLost();
    for (const session of this.#sessions.values()) session.socket.destroy();
  }

  #onAccept(socket: Socket, mode: ReadMode): void {
    const options = this.#options;
    const links = this.#links;
    links.counters[DeliveryCounter.ConnectionsAccepted]!++;
    const handle = sessionHandle((this.#serial++ * options.workers + options.worker) >>> 0);
    const output = new SessionOutput(this.#log, this.#logBytes, this.#delivery.store, socket, () =>
      this.#delivery.unblocked(session),
    );
    const peer = socket.remoteAddress === undefined ? 'unix' : `${socket.remoteAddress}:${socket.remotePort}`;
    const session = new ClientSession(
      handle,
      socket,
      peer,
      shareKey(socket.remoteAddress),
      new SessionInput(),
      output,
      new ServerHandshake(options.auth),
      mode,
    );
    this.#sessions.set(handle, session);
    this.#bySocket.set(socket, session);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isSilenceError(error.code) && session.state === 'open') this.#endVanished(session);
      else socket.destroy();
    });
    socket.on('end', () => this.#endOfInput(session));
    socket.on('close', () => this.#closed(session));
    this.#greeter.begin(session, links.now());
    links.schedule();
    if (session.state !== 'handshake' || links.ringCounters[OrderingCounter.Sessions]! < options.maxSessions) return;
    const bytes = Uint8Array.of(RESULT_CODES.REJECT_QUOTA & 0xff);
    this.#refuse(session, bytes, `sessions: the limit of ${options.maxSessions} is reached`);
  }

  #onAcceptError({ code, message }: NodeJS.ErrnoException): void {
    const acceptErrors = ++this.counters[DeliveryCounter.AcceptErrors]!;
    this.#refusals.notAccepted(code ?? message, acceptErrors, this.#links.now());
  }

  /** @param bytes the long or the short read buffer */
  #onRead(socket: Socket, bytes: Buffer, lengthBytes: number): boolean {
    const session = this.#bySocket.get(socket);
    if (session === undefined) return false;
    this.#links.schedule();
    if (this.#farewell.isStopping) this.#farewell.heard(session);
    if (session.state === 'open' && !this.#clientsBlocked) {
      const view = bytes === this.#readBuffer ? this.#readView : this.#shortView;
      const readOn = this.#pump.read(session, bytes, view, 0, lengthBytes);
      if (this.#port.publish()) this.#links.ringDoorbell.ring();
      return this.#input.changed(session) && readOn;
    }
    if (session.state === 'handshake') return this.#greeter.read(session, bytes, lengthBytes);
    if (session.state !== 'open') return this.#greeter.discard(session, lengthBytes);
    session.input.append(bytes, 0, lengthBytes);
    this.#stall(session);
    this.#input.changed(session);
    return false;
  }

  #nameAccepted(session: ClientSession): void {
    this.#greeter.nameAccepted(session);
    if (session.state === 'closed') this.#departures.answered(session, true);
  }

  #nameRefused(session: ClientSession, code: number): void {
    session.nameState = 'none';
    if (session.state === 'closed') this.#departures.answered(session, false);
    else this.#greeter.nameRefused(session, code);
  }

  #opened(session: ClientSession): void {
    this.counters[DeliveryCounter.SessionsOpen]!++;
    session.reads.isLong = true;
    this.#names.add(nameWords(session.privateName), session);
    this.#links.logger.debug({ session: session.privateName, peer: session.peer }, 'session opened');
    if (session.input.length > 0) this.#stall(session);
    else if (!this.#input.mayRead(session)) session.socket.pause();
  }

  /** Bytes wait in the session's input; they are handled from the duty cycle, and the socket is not read meanwhile. */
  #stall(session: ClientSession): void {
    if (session.input.stalled) return;
    session.input.stalled = true;
    session.socket.pause();
    this.#stalled.push(session);
    this.#links.schedule();
  }

  #resumeStalled(): number {
    if (this.#stalled.length === 0 || this.#clientsBlocked) return 0;
    const stalled = this.#stalled;
    this.#stalled = [];
    let work = 0;
    for (const session of stalled) {
      if (session.state !== 'open') continue;
      if (this.#pump.resume(session)) {
        work++;
        this.#input.changed(session);
        if (session.input.ended) this.#end(session, 'client closed the connection');
        else if (this.#input.mayRead(session)) session.socket.resume();
      }
    }
    return work;
  }

  /** The client has sent its last byte. */
  #endOfInput(session: ClientSession): void {
    if (session.state === 'open' && session.input.stalled) session.input.ended = true;
    else this.#end(session, 'client closed the connection');
  }

  #endByInput(session: ClientSession, reason: string, protocolError: boolean): void {
    if (protocolError) this.#reports.protocolError(session, reason);
    this.#end(session, reason);
  }

  #endVanished(session: ClientSession): void {
    this.#reports.vanished(session);
    this.#end(session, 'client vanished');
  }

  #endIncomplete(session: ClientSession, keptBytes: number): void {
    this.#reports.incomplete(session, keptBytes);
    this.#end(session, 'incomplete frame');
  }

  #tooSlow(session: ClientSession, waitingFrames: number, waitingBytes: number, reason: SlowReason): void {
    this.#reports.tooSlow(session, waitingFrames, waitingBytes, reason, this.#delivery.store.heldBytes);
    this.#end(session, 'slow consumer');
  }

  #refuse(session: ClientSession, bytes: Uint8Array, reason: string): void {
    this.counters[DeliveryCounter.HandshakesRefused]!++;
    this.#refusals.refused(session, reason, this.#links.now());
    this.#departures.leave(session);
    session.input.clear();
    const { socket } = session;
    if (bytes.length === 0) {
      this.#greeter.forget(session);
      socket.destroy();
    } else {
      socket.end(bytes);
      this.#greeter.linger(session, this.#links.now());
    }
  }

  /** Closes the socket at once; the disconnect is ordered behind everything the client sent. */
  #end(session: ClientSession, reason: string): void {
    this.#input.forget(session);
    if (this.#farewell.isHangingUp && session.state === 'open') {
      // The others learn from the daemon's own leave: a disconnect for every client would be as many views for everybody.
      session.state = 'closed';
      this.#farewell.gone(session);
      session.output.abandon();
      session.socket.destroy();
      return;
    }
    if (session.state === 'open') {
      this.#links.logger.debug({ session: session.privateName, peer: session.peer, reason }, 'session ended');
    }
    this.#departures.leave(session);
    this.#greeter.forget(session);
    session.output.abandon();
    session.socket.destroy();
  }

  /** The socket is gone for good, and with it every use of the log's memory. What the client had sent before still counts. */
  #closed(session: ClientSession): void {
    this.#delivery.closed(session);
    if (session.state === 'open' && session.input.stalled) {
      session.input.ended = true;
      return;
    }
    this.#end(session, 'connection lost');
    session.input.clear();
    this.#links.schedule();
  }

  #blockClients(blocked: boolean): void {
    this.#clientsBlocked = blocked;
    if (!blocked) this.#links.schedule();
  }

  /** Each socket gets its end behind the last delivery, and is read on until the client hangs up in turn. */
  #sayGoodbye(): void {
    if (!this.#farewell.mayEndSockets(!this.#log.hasMore())) return;
    this.#delivery.flush();
    for (const session of this.#sessions.values()) {
      if (session.state !== 'open' || !session.receives || session.output.queuedFrames > 0) continue;
      session.receives = false;
      session.socket.end();
    }
  }
}
