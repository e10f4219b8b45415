/**
 * Ends connections: at once, as far as the transport goes, and as the order of the ring allows for what others learn of it. A session's
 * disconnect is ordered behind everything its client sent (`Departures`).
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { Log } from '../log.ts';
import type { Departures } from './departures.ts';
import type { EndReports } from './end-reports.ts';
import type { Farewell } from './farewell.ts';
import type { Greeter } from './greeter.ts';
import type { Intake } from './intake.ts';
import type { LogDelivery } from './log-delivery.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { ClientSession } from './session.ts';
import type { SlowReason } from './slow-consumers.ts';

/** Why a session ends whose client has ended its side. */
const CLIENT_CLOSED = 'client closed the connection';

/** The parts of the worker that keep something of a connection. */
export interface SessionEndsParts {
  readonly greeter: Greeter;
  readonly intake: Intake;
  readonly delivery: LogDelivery;
  readonly departures: Departures;
  readonly farewell: Farewell;
  readonly reports: EndReports;
  readonly refusals: RefusalLog;
  readonly counters: Float64Array;
  readonly logger: Log;
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
    this.#end(session, CLIENT_CLOSED);
  }

  byInput(session: ClientSession, reason: string, protocolError: boolean): void {
    if (protocolError) this.#parts.reports.protocolError(session, reason);
    this.#end(session, reason);
  }

  vanished(session: ClientSession): void {
    this.#parts.reports.vanished(session);
    this.#end(session, 'client vanished');
  }

  incomplete(session: ClientSession, keptBytes: number): void {
    this.#parts.reports.incomplete(session, keptBytes);
    this.#end(session, 'incomplete frame');
  }

  tooSlow(session: ClientSession, waitingFrames: number, waitingBytes: number, reason: SlowReason): void {
    const { reports, delivery } = this.#parts;
    reports.tooSlow(session, waitingFrames, waitingBytes, reason, delivery.store.heldBytes);
    this.#end(session, 'slow consumer');
  }

  /** The connection does not become a session; `bytes` tell its client why. */
  refuse(session: ClientSession, bytes: Uint8Array, reason: string): void {
    const { counters, refusals, departures, greeter, now } = this.#parts;
    counters[DeliveryCounter.HandshakesRefused]!++;
    refusals.refused(session, reason, now());
    departures.leave(session);
    session.input.clear();
    if (bytes.length === 0) {
      greeter.forget(session);
      session.transport.destroy();
    } else {
      session.transport.end(bytes);
      greeter.linger(session, now());
    }
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
    this.#end(session, 'connection lost');
    session.input.clear();
    this.#parts.schedule();
  }

  /** Closes the transport at once. */
  #end(session: ClientSession, reason: string): void {
    const { intake, farewell, departures, greeter, logger } = this.#parts;
    intake.forget(session);
    if (session.state === 'open' && farewell.isHangingUp) {
      // The others learn from the daemon's own leave: a disconnect for every client would be as many views for everybody.
      session.state = 'closed';
      farewell.gone(session);
    } else {
      if (session.state === 'open') {
        logger.debug({ session: session.privateName, peer: session.transport.peer.label, reason }, 'session ended');
      }
      departures.leave(session);
      greeter.forget(session);
    }
    session.output.abandon();
    session.transport.destroy();
  }
}
