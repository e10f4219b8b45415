/**
 * Carries connections through the handshake: asks the ring agent for the name, has credentials checked, sends the daemon's parts
 * (each in one write, as C clients need it: client-protocol.md 1.2) and ends those that take too long.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { SenderIdentity } from '../../engine/wire/frame-scanner.ts';
import type { HandshakeStep } from '../../engine/wire/handshake.ts';
import { privateName } from '../../engine/wire/ids.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import type { Authenticator } from './authenticator.ts';
import type { ClientSession } from './session.ts';
import type { SubmitPort } from './submit-port.ts';

export interface GreeterEvents {
  /** The session is open; bytes that came with the handshake are in its input. */
  opened(session: ClientSession): void;
  /** The connection is over before it became a session; `bytes` go out first. */
  refused(session: ClientSession, bytes: Uint8Array, reason: string): void;
}

export interface GreeterOptions {
  readonly daemonName: string;
  readonly handshakeTimeoutMs: number;
}

/** Numbers in invented names, as in `r2683-9`: both parts together stay within 10 bytes. */
const INVENTED_FIRST = 9999;
const INVENTED_SECOND = 1000;

interface Deadline {
  readonly session: ClientSession;
  readonly atMs: number;
}

export class Greeter {
  readonly #options: GreeterOptions;
  readonly #port: SubmitPort;
  readonly #authenticator: Authenticator;
  readonly #counters: Float64Array;
  readonly #events: GreeterEvents;
  /** Oldest first: every handshake has the same time. */
  readonly #deadlines: Deadline[] = [];
  /** Connections that asked for no name in particular. */
  readonly #invented = new WeakSet<ClientSession>();
  /** Register requests that found the request ring full. */
  readonly #unregistered: ClientSession[] = [];
  #nextInvented = 0;

  constructor(
    options: GreeterOptions,
    port: SubmitPort,
    authenticator: Authenticator,
    counters: Float64Array,
    events: GreeterEvents,
  ) {
    this.#options = options;
    this.#port = port;
    this.#authenticator = authenticator;
    this.#counters = counters;
    this.#events = events;
  }

  begin(session: ClientSession, nowMs: number): void {
    this.#deadlines.push({ session, atMs: nowMs + this.#options.handshakeTimeoutMs });
  }

  nextDeadlineMs(): number {
    return this.#deadlines[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Ends handshakes that took too long, and asks again for names where the ring was full. */
  poll(nowMs: number): number {
    let work = 0;
    for (let next = this.#deadlines[0]; next !== undefined; next = this.#deadlines[0]) {
      if (next.session.state === 'handshake' && next.atMs > nowMs) break;
      this.#deadlines.shift();
      if (next.session.state !== 'handshake') continue;
      work++;
      this.#step(next.session, next.session.handshake.timedOut(this.#options.handshakeTimeoutMs));
    }
    for (const session of this.#unregistered.splice(0)) {
      if (session.state === 'handshake') this.#register(session);
    }
    return work;
  }

  /** Takes what the connection sent; the part that is not of the handshake's present step waits in the session's input. */
  read(session: ClientSession, bytes: Buffer, from: number, end: number): void {
    session.input.append(bytes, from, end);
    this.#proceed(session);
  }

  /** The ring agent's answer: the name belongs to this connection. */
  nameAccepted(session: ClientSession): void {
    session.nameState = 'held';
    this.#invented.delete(session);
    if (session.state !== 'handshake') return;
    this.#step(session, session.handshake.nameAccepted(session.privateName));
  }

  nameRefused(session: ClientSession, code: number): void {
    if (session.state !== 'handshake') return;
    if (code === RESULT_CODES.REJECT_NOT_UNIQUE && this.#invented.has(session)) {
      this.#invent(session);
      this.#register(session);
      return;
    }
    session.privateName = '';
    this.#step(session, session.handshake.nameRefused(code));
  }

  #proceed(session: ClientSession): void {
    const { input, handshake } = session;
    if (input.length === 0) return;
    const step = handshake.read(input.bytes!, input.start, input.end);
    const progressed = handshake.consumed > input.start;
    input.consume(handshake.consumed);
    if (step.kind !== 'need-bytes') this.#step(session, step);
    else if (progressed && input.length > 0) this.#proceed(session);
  }

  #step(session: ClientSession, step: HandshakeStep): void {
    switch (step.kind) {
      case 'need-bytes':
        this.#proceed(session);
        return;
      case 'register':
        session.wantsMembership = step.wantsMembership;
        if (step.name === '') this.#invent(session);
        else session.privateName = privateName(step.name, this.#options.daemonName);
        this.#register(session);
        return;
      case 'authenticate':
        this.#authenticate(session, step);
        return;
      case 'send':
        session.socket.write(step.bytes);
        this.#step(session, session.handshake.next());
        return;
      case 'accept':
        session.identity = new SenderIdentity(session.privateName);
        session.state = 'open';
        session.socket.write(step.bytes);
        this.#events.opened(session);
        return;
      case 'refuse':
        this.#counters[DeliveryCounter.HandshakesRefused]!++;
        this.#events.refused(session, step.bytes, step.reason);
    }
  }

  #authenticate(session: ClientSession, step: Extract<HandshakeStep, { kind: 'authenticate' }>): void {
    const { method, credentials } = step;
    const answer = (success: boolean): void => {
      if (session.state === 'handshake') this.#step(session, session.handshake.authenticated(method, success));
    };
    if (method === 'IP') answer(this.#authenticator.isAddressAllowed(session.socket.remoteAddress));
    else this.#authenticator.checkPassword(credentials!, answer);
  }

  #invent(session: ClientSession): void {
    const first = Math.floor(Math.random() * INVENTED_FIRST);
    this.#nextInvented = (this.#nextInvented + 1) % INVENTED_SECOND;
    session.privateName = privateName(`r${first}-${this.#nextInvented}`, this.#options.daemonName);
    this.#invented.add(session);
  }

  #register(session: ClientSession): void {
    session.nameState = 'asked';
    if (!this.#port.register(session.handle, session.privateName, session.wantsMembership)) {
      session.nameState = 'none';
      this.#unregistered.push(session);
    }
  }
}
