/**
 * Connections that are not, or will never be, sessions: in the handshake, or refused and given a moment to read why. They
 * have shown no right to anything, so there is one limit for all of them. When it is reached, the address with most of them
 * loses the connection that has kept the daemon waiting longest.
 */

import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';

export class WaitingRoom {
  readonly #settings: Live<Pick<DeliverySettings, 'maxHandshakes'>>;
  /** Oldest first, with the time at which each is over: all of a kind have the same time. */
  readonly #handshakes = new Map<ClientSession, number>();
  readonly #lingering = new Map<ClientSession, number>();
  readonly #byShare = new Map<string, Set<ClientSession>>();

  constructor(settings: Live<Pick<DeliverySettings, 'maxHandshakes'>>) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#handshakes.size + this.#lingering.size;
  }

  get isFull(): boolean {
    return this.size >= this.#settings.current.maxHandshakes;
  }

  enter(session: ClientSession, untilMs: number): void {
    this.#handshakes.set(session, untilMs);
    this.#share(session);
  }

  /** The connection was refused. One that had left already comes back. */
  linger(session: ClientSession, untilMs: number): void {
    this.#handshakes.delete(session);
    this.#lingering.set(session, untilMs);
    this.#share(session);
  }

  leave(session: ClientSession): void {
    this.#handshakes.delete(session);
    this.#lingering.delete(session);
    const share = this.#byShare.get(session.share);
    share?.delete(session);
    if (share?.size === 0) this.#byShare.delete(session.share);
  }

  /** The first that is over at `nowMs`. */
  expired(nowMs: number): ClientSession | undefined {
    for (const line of [this.#handshakes, this.#lingering]) {
      for (const [session, untilMs] of line) {
        if (untilMs <= nowMs) return session;
        break;
      }
    }
    return undefined;
  }

  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const line of [this.#handshakes, this.#lingering]) {
      for (const untilMs of line.values()) {
        next = Math.min(next, untilMs);
        break;
      }
    }
    return next;
  }

  /**
   * The connection that makes room for another: of those that have been refused or that keep the daemon waiting, the oldest of the
   * address that has most. Undefined when all of them wait for the daemon.
   */
  victim(): ClientSession | undefined {
    let found: ClientSession | undefined;
    let most = 0;
    for (const share of this.#byShare.values()) {
      if (share.size <= most) continue;
      for (const session of share) {
        if (session.state === 'handshake' && !session.handshake.waitsForClient) continue;
        found = session;
        most = share.size;
        break;
      }
    }
    return found;
  }

  /** For the end of the daemon. */
  *[Symbol.iterator](): IterableIterator<ClientSession> {
    yield* this.#handshakes.keys();
    yield* this.#lingering.keys();
  }

  #share(session: ClientSession): void {
    const share = this.#byShare.get(session.share);
    if (share === undefined) this.#byShare.set(session.share, new Set([session]));
    else share.add(session);
  }
}
