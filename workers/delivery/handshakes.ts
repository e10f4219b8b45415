/**
 * Carries connections through the handshake: asks the ring agent for the name, has credentials checked, sends the daemon's parts
 * (each in one write, as C clients need it: client-protocol.md 1.2) and ends those that take too long or are too many.
 *
 * A name is looked up first, so that a client whose name is in use learns it where libraries expect it; it is taken only when
 * the client has authenticated.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { SenderIdentity } from '../../engine/wire/frame-scanner.ts';
import { privateName } from '../../engine/wire/ids.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import type { HandshakeStep } from '../../engine/wire/server-handshake.ts';
import type { Authenticator } from './authenticator.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { PasswordVerdict } from './password-checker.ts';
import type { SubmitPort } from './submit-port.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface HandshakeEvents {
  /** The client has authenticated. @returns null, or over which limit of its user or address it would be */
  admit(session: ClientSession): string | null;
  /** The session is open; bytes that came with the handshake are in its input. */
  opened(session: ClientSession): void;
  /** The connection is over before it became a session; `bytes` go out first. */
  refused(session: ClientSession, bytes: Uint8Array, reason: string, isTold?: boolean): void;
  /** Connections are ended, or passwords not checked, because there are too many. */
  crowded(reason: string): void;
}

/** Of this worker. */
export type HandshakeSettings = Pick<DeliverySettings, 'handshakeTimeoutMs' | 'maxHandshakes'>;

/**
 * Longest read of a connection in the handshake. What it sends ahead is kept up to this much, then it is not read: the
 * rest stays with TCP until the session is open. All that can be said before an answer of the daemon is shorter, so one that is not
 * read has all it needs.
 */
export const HANDSHAKE_READ_BYTES = 512;
/** How long a refused connection may take to read its reply before it is cut. */
const LINGER_MS = 1000;
/** Bytes read from a refused connection that keeps sending: a socket closed with unread bytes loses the reply too. */
const LINGER_BYTES = 64 * 1024;
/** Numbers in invented names, as in `r2683-9`: both parts together stay within 10 bytes. */
const INVENTED_FIRST = 9999;
const INVENTED_SECOND = 1000;

export class Handshakes {
  readonly #daemonName: string;
  readonly #settings: Live<HandshakeSettings>;
  readonly #port: SubmitPort;
  readonly #authenticator: Authenticator;
  readonly #counters: Float64Array;
  readonly #events: HandshakeEvents;
  readonly #room: WaitingRoom;
  /** Connections that asked for no name in particular. */
  readonly #invented = new WeakSet<ClientSession>();
  /** Connections that found the request queue full, and whether the name was to be taken. */
  readonly #unasked: { readonly session: ClientSession; readonly takesName: boolean }[] = [];
  #nextInvented = 0;

  constructor(
    daemonName: string,
    settings: Live<HandshakeSettings>,
    port: SubmitPort,
    authenticator: Authenticator,
    counters: Float64Array,
    events: HandshakeEvents,
  ) {
    this.#daemonName = daemonName;
    this.#settings = settings;
    this.#port = port;
    this.#authenticator = authenticator;
    this.#counters = counters;
    this.#events = events;
    this.#room = new WaitingRoom(settings);
  }

  begin(session: ClientSession, nowMs: number): void {
    const isFull = this.#room.isFull;
    const victim = isFull ? this.#room.victim() : undefined;
    this.#room.enter(session, nowMs + this.#settings.current.handshakeTimeoutMs);
    if (isFull) this.#crowdOut(victim ?? session);
    this.#publish();
  }

  /** The connection is a session now, or over. */
  forget(session: ClientSession): void {
    this.#room.leave(session);
    this.#cancelPassword(session);
    this.#publish();
  }

  /** The connection was refused: it may read why for a while. */
  linger(session: ClientSession, nowMs: number): void {
    this.#cancelPassword(session);
    this.#room.linger(session, nowMs + LINGER_MS);
    this.#publish();
  }

  nextDeadlineMs(): number {
    return this.#room.nextDeadlineMs();
  }

  /** Ends what took too long, and asks again for names where the request queue was full. */
  poll(nowMs: number): number {
    let work = 0;
    for (let session = this.#room.expired(nowMs); session !== undefined; session = this.#room.expired(nowMs)) {
      work++;
      if (session.state === 'handshake') {
        this.#counters[DeliveryCounter.HandshakesTimedOut]!++;
        this.#step(session, session.handshake.timedOut(this.#settings.current.handshakeTimeoutMs));
      } else {
        this.#room.leave(session);
        session.transport.destroy();
      }
    }
    if (this.#unasked.length > 0) this.#askAgain();
    if (work > 0) this.#publish();
    return work;
  }

  #askAgain(): void {
    for (const { session, takesName } of this.#unasked.splice(0)) {
      if (session.state === 'handshake') this.#ask(session, takesName);
    }
  }

  /** No connection becomes a session any more: each is told that the daemon is busy. */
  refuseAll(reason: string): void {
    for (const session of [...this.#room]) this.refuse(session, reason);
  }

  refuse(session: ClientSession, reason: string): void {
    if (session.state === 'handshake') this.#step(session, session.handshake.busy(reason));
  }

  /** No connection is left behind. */
  close(): void {
    for (const session of [...this.#room]) session.transport.destroy();
  }

  /**
   * Takes what the connection sent; the part that is not of the handshake's present step waits in the session's input.
   * @returns whether it may be read further
   */
  read(session: ClientSession, bytes: Buffer, lengthBytes: number): boolean {
    session.input.append(bytes, 0, lengthBytes);
    this.#proceed(session);
    if (session.state !== 'handshake' || session.input.length < HANDSHAKE_READ_BYTES) return true;
    // A client that is not read is not noticed to hang up either.
    session.input.paused = true;
    if (session.passwordCheck !== null) this.#authenticator.passwords.unwatch(session.passwordCheck);
    return false;
  }

  /** Bytes of a connection that is over. @returns whether it may be read further */
  discard(session: ClientSession, lengthBytes: number): boolean {
    session.input.discardedBytes += lengthBytes;
    return session.input.discardedBytes < LINGER_BYTES;
  }

  /** The ring agent's answer: the name is free, or belongs to this connection. */
  nameAccepted(session: ClientSession): void {
    if (session.nameState === 'checked') {
      session.nameState = 'none';
      if (session.state === 'handshake') this.#step(session, session.handshake.nameFree());
      return;
    }
    session.nameState = 'held';
    this.#invented.delete(session);
    if (session.state !== 'handshake') return;
    this.#step(session, session.handshake.nameAccepted(session.privateName));
  }

  nameRefused(session: ClientSession, code: number): void {
    if (session.state !== 'handshake') return;
    if (code === RESULT_CODES.REJECT_NOT_UNIQUE && this.#invented.has(session)) {
      this.#register(session);
      return;
    }
    this.#step(session, session.handshake.nameRefused(code));
  }

  #proceed(session: ClientSession): void {
    const { input, handshake } = session;
    while (input.length > 0) {
      const step = handshake.read(input.bytes!, input.start, input.end);
      const hasProgressed = handshake.consumed > input.start;
      input.consume(handshake.consumed);
      if (step.kind !== 'need-bytes') {
        this.#step(session, step);
        return;
      }
      if (!hasProgressed) break;
    }
  }

  #step(session: ClientSession, step: HandshakeStep): void {
    switch (step.kind) {
      case 'need-bytes':
        this.#proceed(session);
        return;
      case 'check-name':
        session.wantsMembership = step.wantsMembership;
        session.takesNotices = session.handshake.takesNotices;
        if (step.name === '') {
          this.#invented.add(session);
          this.#step(session, session.handshake.nameFree());
          return;
        }
        session.privateName = privateName(step.name, this.#daemonName);
        this.#ask(session, false);
        return;
      case 'register': {
        const overLimit = this.#events.admit(session);
        if (overLimit === null) {
          this.#register(session);
          return;
        }
        // Told once a minute, however often such a client tries.
        this.#events.crowded(overLimit);
        this.#events.refused(session, Uint8Array.of(RESULT_CODES.REJECT_QUOTA & 0xff), overLimit, false);
        return;
      }
      case 'authenticate':
        this.#authenticate(session, step);
        return;
      case 'scram-begin':
        this.#step(session, session.handshake.challenged(this.#authenticator.scram.challenge(step.user)));
        return;
      case 'scram-prove': {
        const signature = this.#authenticator.scram.signature(step);
        if (signature !== null) this.#proven(session, step.user, 'SCRAM-SHA-256');
        this.#step(session, session.handshake.proven(signature));
        return;
      }
      case 'send':
        session.transport.write(step.bytes);
        this.#step(session, session.handshake.next());
        return;
      case 'accept':
        this.forget(session);
        session.identity = new SenderIdentity(session.privateName);
        session.state = 'open';
        session.transport.write(step.bytes);
        this.#events.opened(session);
        return;
      case 'refuse':
        this.#events.refused(session, step.bytes, step.reason);
    }
  }

  #authenticate(session: ClientSession, step: Extract<HandshakeStep, { kind: 'authenticate' }>): void {
    const { handshake } = session;
    if (step.method === 'IP') {
      const isAllowed = this.#authenticator.isAddressAllowed(session.transport.peer.address);
      this.#step(session, handshake.authenticated('IP', isAllowed));
      return;
    }
    const answer = (verdict: PasswordVerdict): void => {
      session.passwordCheck = null;
      if (session.state !== 'handshake') return;
      if (verdict === 'busy') {
        const reason = 'passwords that wait to be checked: too many';
        this.#events.crowded(reason);
        this.#step(session, handshake.busy(reason));
        return;
      }
      if (verdict === 'right') this.#proven(session, step.credentials!.user, 'PWORD');
      this.#step(session, handshake.authenticated('PWORD', verdict === 'right'));
    };
    const { passwords } = this.#authenticator;
    const check = { credentials: step.credentials!, owner: session.share, answer };
    session.passwordCheck = check;
    passwords.check(check);
    if (session.input.paused) passwords.unwatch(check);
  }

  #proven(session: ClientSession, user: string, method: 'PWORD' | 'SCRAM-SHA-256'): void {
    session.user = user;
    session.provenBy = method;
  }

  #crowdOut(victim: ClientSession): void {
    this.#counters[DeliveryCounter.HandshakesCrowdedOut]!++;
    const reason = `handshakes: there are MaxHandshakes ${this.#settings.current.maxHandshakes} in this worker`;
    this.#events.crowded(reason);
    if (victim.state === 'handshake') this.#step(victim, victim.handshake.busy(reason));
    // There is no room for it to linger in.
    this.#room.leave(victim);
    victim.transport.destroySoon();
  }

  #cancelPassword(session: ClientSession): void {
    if (session.passwordCheck === null) return;
    const check = session.passwordCheck;
    session.passwordCheck = null;
    this.#authenticator.passwords.cancel(check);
  }

  #register(session: ClientSession): void {
    if (this.#invented.has(session)) {
      const first = Math.floor(Math.random() * INVENTED_FIRST);
      this.#nextInvented = (this.#nextInvented + 1) % INVENTED_SECOND;
      session.privateName = privateName(`r${first}-${this.#nextInvented}`, this.#daemonName);
    }
    this.#ask(session, true);
  }

  /** Asks the ring agent for the name, or whether it is free; again later when the request queue is full. */
  #ask(session: ClientSession, takesName: boolean): void {
    const { handle, privateName: name } = session;
    const isAsked = takesName ? this.#port.register(handle, name) : this.#port.checkName(handle, name);
    if (!isAsked) {
      session.nameState = 'none';
      this.#unasked.push({ session, takesName });
    } else session.nameState = takesName ? 'asked' : 'checked';
  }

  #publish(): void {
    this.#counters[DeliveryCounter.HandshakesOpen] = this.#room.size;
  }
}
