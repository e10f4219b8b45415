/**
 * The orderly end of all sessions of a daemon that stops. First it takes what clients have sent already: a session is done when
 * nothing came from it for a moment. Then, once everything is ordered and delivered, it hangs up: each client gets its end behind the
 * last delivery, and is read on until the client hangs up in turn, so that what was under way meanwhile is ordered too.
 *
 * A client that keeps sending cannot delay this forever: the supervisor's drain time bounds both steps.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { Log } from '../log.ts';
import type { ClientSession } from './client-session.ts';
import type { LogDelivery } from './log-delivery.ts';

/** A session from which nothing came for so long has nothing left in the kernel: several times the way to a client on a LAN. */
const QUIET_MS = 20;
/** And in this many rounds of input, because a thread that did not run has not read its sockets. */
const QUIET_LOOKS = 3;
/** A client that does not hang up, and sends nothing either, is not waited for any longer. */
const SILENT_AFTER_GOODBYE_MS = 1000;

type Step = 'serving' | 'taking' | 'hanging-up';

/** When a session was heard last: the time, and the number of the look. */
interface Heard {
  ms: number;
  look: number;
}

export class Farewell {
  readonly #sessions: ReadonlyMap<number, ClientSession>;
  readonly #counters: Float64Array;
  readonly #logger: Log;
  readonly #now: () => number;
  #step: Step = 'serving';
  /** Sessions that may have bytes in the kernel or in their input, and when they were last heard. */
  readonly #awaited = new Map<ClientSession, Heard>();
  #look = 0;
  /** Where the log ended when hanging up began. */
  #logEnd = 0;
  #maySessionsEnd = false;

  constructor(sessions: ReadonlyMap<number, ClientSession>, counters: Float64Array, logger: Log, now: () => number) {
    this.#sessions = sessions;
    this.#counters = counters;
    this.#logger = logger;
    this.#now = now;
  }

  get isStopping(): boolean {
    return this.#step !== 'serving';
  }

  get isHangingUp(): boolean {
    return this.#step === 'hanging-up';
  }

  /** The daemon stops: begins to take what open sessions have sent. */
  begin(): void {
    this.#awaitAll('taking');
  }

  /** All that clients sent is ordered, or time is short. @param logEnd entries of the log so far, modulo 2^32 */
  hangUp(logEnd: number): void {
    this.#awaitAll('hanging-up');
    this.#logEnd = logEnd;
  }

  /**
   * Called in each duty cycle while hanging up. Once the log has been read to where it ended when this began, each client gets its own end
   * as soon as its transport has taken all that waits for it, and is read on until it hangs up in turn.
   */
  sayGoodbye(delivery: LogDelivery): void {
    if (!this.#mayEndSessions(delivery.hasReadTo(this.#logEnd))) return;
    delivery.flush();
    for (const session of this.#sessions.values()) {
      if (session.state !== 'open' || !session.receives || session.output.queuedFrames > 0) continue;
      session.receives = false;
      session.transport.end();
    }
  }

  /** Bytes came from the session. */
  heard(session: ClientSession): void {
    const heard = this.#awaited.get(session);
    if (heard !== undefined) this.#note(heard, this.#now());
  }

  /** The client has sent its last byte. */
  gone(session: ClientSession): void {
    this.#awaited.delete(session);
  }

  /** Whether no session is waited for any more in the present step. Asked after each round of input. */
  isDone(): boolean {
    const patienceMs = this.isHangingUp ? SILENT_AFTER_GOODBYE_MS : QUIET_MS;
    const nowMs = this.#now();
    this.#look++;
    for (const [session, heard] of this.#awaited) {
      if (session.state !== 'open') this.#awaited.delete(session);
      else if (session.input.stalled || (this.isHangingUp && session.receives)) this.#note(heard, nowMs);
      else if (nowMs - heard.ms >= patienceMs && this.#look - heard.look >= QUIET_LOOKS) this.#awaited.delete(session);
    }
    return this.#awaited.size === 0;
  }

  /** Logs what the end of the drain time cuts off. Bytes in the kernel cannot be counted, but sessions that still send can. */
  tellWhatIsLost(): void {
    if (!this.isStopping) return;
    this.isDone();
    let notTakenBytes = 0;
    let notDelivered = 0;
    let slowSessions = 0;
    const sending = new Set<ClientSession>(this.#step === 'taking' ? this.#awaited.keys() : []);
    for (const session of this.#sessions.values()) {
      if (session.state !== 'open') continue;
      const { input, output } = session;
      if (input.length > 0) {
        notTakenBytes += input.length;
        sending.add(session);
      }
      if (this.isHangingUp && this.#awaited.has(session) && this.#heardLately(session)) sending.add(session);
      if (output.queuedFrames > 0) {
        notDelivered += output.waitingFrames();
        slowSessions++;
      }
    }
    this.#counters[DeliveryCounter.BytesNotTaken] = notTakenBytes;
    this.#counters[DeliveryCounter.SessionsCutOff] = sending.size;
    this.#counters[DeliveryCounter.MessagesNotDelivered] = notDelivered;
    if (sending.size > 0) {
      const fields = { sessions: sending.size, bytes: notTakenBytes };
      this.#logger.warn(
        fields,
        'drain time is over: clients were still sending, and their last messages are not processed',
      );
    }
    if (slowSessions > 0) {
      const fields = { sessions: slowSessions, messages: notDelivered };
      this.#logger.warn(fields, 'drain time is over: slow clients do not get their waiting messages');
    }
  }

  #mayEndSessions(isLogRead: boolean): boolean {
    if (this.#maySessionsEnd) return true;
    this.#maySessionsEnd = isLogRead;
    if (this.#maySessionsEnd) this.#awaitAll('hanging-up');
    return this.#maySessionsEnd;
  }

  #heardLately(session: ClientSession): boolean {
    return this.#now() - this.#awaited.get(session)!.ms < QUIET_MS;
  }

  #note(heard: Heard, nowMs: number): void {
    heard.ms = nowMs;
    heard.look = this.#look;
  }

  #awaitAll(step: Step): void {
    this.#step = step;
    this.#awaited.clear();
    const nowMs = this.#now();
    for (const session of this.#sessions.values())
      if (session.state === 'open') this.#awaited.set(session, { ms: nowMs, look: this.#look });
  }
}
