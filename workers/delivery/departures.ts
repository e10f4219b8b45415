/**
 * The end of connections: what becomes of the name, and when the session may be forgotten. A session's disconnect is ordered behind
 * everything the client sent; a connection that never became a session only gives its name back.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { nameWords } from '../../engine/wire/name-hash.ts';
import type { ClientSession } from './client-session.ts';
import type { NameTable } from './name-table.ts';
import type { SubmitPort } from './submit-port.ts';

export class Departures {
  readonly #sessions: Map<number, ClientSession>;
  readonly #names: NameTable;
  readonly #port: SubmitPort;
  readonly #counters: Float64Array;
  readonly #schedule: () => void;
  /** Disconnects to be ordered and names to be given back, as the rings have room. */
  #waiting: ClientSession[] = [];

  constructor(
    sessions: Map<number, ClientSession>,
    names: NameTable,
    port: SubmitPort,
    counters: Float64Array,
    schedule: () => void,
  ) {
    this.#sessions = sessions;
    this.#names = names;
    this.#port = port;
    this.#counters = counters;
    this.#schedule = schedule;
  }

  /** The connection is over. Nothing is delivered to it from here on. */
  leave(session: ClientSession): void {
    if (session.state === 'open') {
      this.#counters[DeliveryCounter.SessionsOpen]!--;
      this.#counters[DeliveryCounter.SessionsClosed]!++;
      this.#names.remove(nameWords(session.privateName), session);
      session.state = 'closing';
      this.#waiting.push(session);
      this.#schedule();
    } else if (session.state === 'handshake') {
      session.state = 'closed';
      if (session.nameState === 'held') this.#giveBackName(session);
      else if (session.nameState !== 'asked') this.#forget(session);
    }
  }

  /** The ring agent's answer came when the connection was over already. */
  answered(session: ClientSession, accepted: boolean): void {
    if (accepted) this.#giveBackName(session);
    else this.#forget(session);
  }

  /**
   * The disconnect has been ordered; no entry of the log names the session any more. When it is not of this daemon's making another one
   * speaks for it: the client learns it from the end of its connection, before it misses anything.
   */
  ended(session: ClientSession): void {
    if (session.state === 'open') {
      this.#counters[DeliveryCounter.SessionsOpen]!--;
      this.#counters[DeliveryCounter.SessionsClosed]!++;
      this.#names.remove(nameWords(session.privateName), session);
      session.state = 'closed';
      session.transport.destroy();
    }
    this.#forget(session);
  }

  /** @returns how many were helped along */
  poll(): number {
    if (this.#waiting.length === 0) return 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const session of waiting) {
      if (session.state === 'closed') this.#giveBackName(session);
      else if (this.#port.disconnect(session.handle, session.privateName)) session.state = 'closed';
      else this.#waiting.push(session);
    }
    return waiting.length - this.#waiting.length;
  }

  #giveBackName(session: ClientSession): void {
    if (this.#port.unregister(session.handle, session.privateName)) this.#forget(session);
    else this.#waiting.push(session);
    this.#schedule();
  }

  #forget(session: ClientSession): void {
    session.nameState = 'none';
    this.#sessions.delete(session.handle);
  }
}
