/**
 * Ends connections: at once, as far as the transport goes, and as the order of the ring allows for what others learn of it. A session's
 * disconnect is ordered behind everything its client sent (`Departures`).
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { type DaemonEvent, type EndCause, TOLD_CAUSES } from '../daemon-event.ts';
import type { Log } from '../log.ts';
import type { ClientSession } from './client-session.ts';
import type { Departures } from './departures.ts';
import type { EndReports } from './end-reports.ts';
import type { Farewell } from './farewell.ts';
import type { Handshakes } from './handshakes.ts';
import type { Intake } from './intake.ts';
import type { LogDelivery } from './log-delivery.ts';
import type { RecentEnds } from './recent-ends.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { SlowReason } from './slow-consumers.ts';

/** Why a session ends whose client has ended its side. */
const CLIENT_CLOSED = 'client closed the connection';
/** By these a client leaves of its own accord. */
const LEFT: ReadonlySet<EndCause> = new Set(['asked', 'closed']);

/** Which limit a slow consumer went over, in words. */
const SLOW_REASONS: Readonly<Record<SlowReason, string>> = {
  session: 'slow consumer: its queue was over MaxSessionMessages or MaxSessionBytes',
  log: 'slow consumer: it held up the ordered log',
  'all-sessions': 'slow consumer: the slowest while the queues of all sessions were over MaxQueuedBytes',
};

/** The parts of the worker that keep something of a connection. */
export interface SessionEndsParts {
  readonly handshakes: Handshakes;
  readonly intake: Intake;
  readonly delivery: LogDelivery;
  readonly departures: Departures;
  readonly farewell: Farewell;
  readonly reports: EndReports;
  readonly refusals: RefusalLog;
  readonly recent: RecentEnds;
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly tell: (event: DaemonEvent) => void;
  readonly now: () => number;
  readonly schedule: () => void;
}

export class SessionEnds {
  readonly #parts: SessionEndsParts;

  constructor(parts: SessionEndsParts) {
    this.#parts = parts;
  }

  /** The client has sent its last byte. What is not handled of it yet still counts. */
  endOfInput(session: ClientSession): void {
    if (session.state === 'open' && session.input.stalled) session.input.ended = true;
    else this.inputEnded(session);
  }

  /** All that the client sent before its end is handled. */
  inputEnded(session: ClientSession): void {
    this.#end(session, 'closed', CLIENT_CLOSED);
  }

  byInput(session: ClientSession, reason: string, protocolError: boolean): void {
    if (protocolError) this.#parts.reports.protocolError(session, reason);
    this.#end(session, protocolError ? 'protocol' : 'asked', reason);
  }

  vanished(session: ClientSession): void {
    this.#parts.reports.vanished(session);
    this.#end(session, 'vanished', 'the machine of its client does not answer');
  }

  /** @param reason what a reload took away from it */
  revoked(session: ClientSession, reason: string): void {
    this.#parts.reports.revoked(session, reason);
    this.#end(session, 'revoked', reason);
  }

  incomplete(session: ClientSession, keptBytes: number): void {
    this.#parts.reports.incomplete(session, keptBytes);
    this.#end(session, 'incomplete', 'its frame stayed incomplete while the input of all sessions was over the limit');
  }

  overRate(session: ClientSession, heldMs: number): void {
    this.#parts.reports.overRate(session, heldMs);
    this.#end(session, 'rate', 'held to the rate of its user or address for RateLimitTimeout');
  }

  tooSlow(session: ClientSession, waitingFrames: number, waitingBytes: number, reason: SlowReason): void {
    const { reports, delivery } = this.#parts;
    reports.tooSlow(session, waitingFrames, waitingBytes, reason, delivery.store.heldBytes);
    this.#end(session, 'slow', SLOW_REASONS[reason]);
  }

  /** The connection does not become a session; `bytes` give its client the reason. */
  refuse(session: ClientSession, bytes: Uint8Array, reason: string, isTold = true): void {
    const { counters, refusals, departures, handshakes, now } = this.#parts;
    counters[DeliveryCounter.HandshakesRefused]!++;
    this.#parts.intake.rates.forget(session);
    if (isTold) refusals.refused(session, reason, now());
    departures.leave(session);
    session.input.clear();
    if (bytes.length === 0) {
      handshakes.forget(session);
      session.transport.destroy();
    } else {
      session.transport.end(bytes);
      handshakes.linger(session, now());
    }
  }

  /** What the client sent is none of the transport's, which has told it so. */
  violated(session: ClientSession, reason: string): void {
    if (session.state === 'open') this.byInput(session, reason, true);
    else if (session.state === 'handshake') this.refuse(session, new Uint8Array(0), reason);
    this.#parts.schedule();
  }

  /** The transport failed. */
  broken(session: ClientSession, isSilent: boolean): void {
    if (isSilent && session.state === 'open') this.vanished(session);
    else session.transport.destroy();
  }

  /** The transport is gone for good, and with it every use of the log's memory. What the client had sent before still counts. */
  closed(session: ClientSession): void {
    this.#parts.delivery.closed(session);
    if (session.state === 'open' && session.input.stalled) {
      session.input.ended = true;
      return;
    }
    this.#end(session, 'lost', 'connection lost');
    session.input.clear();
    this.#parts.schedule();
  }

  /** Of a client that leaves because the daemon drains or stops. */
  #why(session: ClientSession, cause: EndCause, reason: string): { readonly cause: EndCause; readonly reason: string } {
    if (!LEFT.has(cause)) return { cause, reason };
    if (this.#parts.farewell.isHangingUp) return { cause: 'stopped', reason: 'the daemon stopped' };
    if (!session.isToldToMove) return { cause, reason };
    this.#parts.counters[DeliveryCounter.SessionsMoved]!++;
    return { cause: 'moved', reason: 'moved: it was told that the daemon drains' };
  }

  /** Closes the transport at once. */
  #end(session: ClientSession, cause: EndCause, reason: string): void {
    const { intake, farewell, departures, handshakes, logger, recent, tell, now } = this.#parts;
    intake.forget(session);
    intake.rates.forget(session);
    if (session.state === 'open') {
      const why = this.#why(session, cause, reason);
      const ended = recent.add(session, why.cause, why.reason, now());
      if (TOLD_CAUSES.has(why.cause)) tell({ kind: 'session-ended', session: ended });
    }
    if (session.state === 'open' && farewell.isHangingUp) {
      // The others learn from the daemon's own leave: a disconnect for each client would cause as many views.
      session.state = 'closed';
      farewell.gone(session);
    } else {
      if (session.state === 'open') {
        logger.debug({ session: session.privateName, peer: session.transport.peer.label, reason }, 'session ended');
      }
      departures.leave(session);
      handshakes.forget(session);
    }
    session.output.abandon();
    session.transport.destroy();
  }
}
