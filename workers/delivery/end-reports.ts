/** Counts and logs the sessions that the daemon ends for a reason of its own. */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { Log, LogFields } from '../log.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { SlowReason } from './slow-consumers.ts';

/** Limits named in the log. */
export type EndLimits = Pick<
  DeliverySettings,
  'limits' | 'maxInputBytes' | 'maxQueuedBytes' | 'clientTimeoutMs' | 'rates'
>;

export class EndReports {
  readonly #settings: Live<EndLimits>;
  readonly #counters: Float64Array;
  readonly #logger: Log;

  constructor(settings: Live<EndLimits>, counters: Float64Array, logger: Log) {
    this.#settings = settings;
    this.#counters = counters;
    this.#logger = logger;
  }

  /** @param reason names field, value and limit */
  protocolError(session: ClientSession, reason: string): void {
    this.#counters[DeliveryCounter.ProtocolErrors]!++;
    this.#logger.warn({ ...who(session), reason }, 'session ended: protocol error');
  }

  vanished(session: ClientSession): void {
    this.#counters[DeliveryCounter.ClientsVanished]!++;
    const { clientTimeoutMs } = this.#settings.current;
    this.#logger.info({ ...who(session), clientTimeoutMs }, 'session ended: the machine of its client does not answer');
  }

  revoked(session: ClientSession, reason: string): void {
    this.#counters[DeliveryCounter.SessionsRevoked]!++;
    this.#logger.warn({ ...who(session), user: session.user, reason }, 'session ended: a reload took its rights away');
  }

  incomplete(session: ClientSession, keptBytes: number): void {
    const { maxInputBytes } = this.#settings.current;
    this.#logger.warn(
      { ...who(session), keptBytes, maxInputBytes },
      'session ended: its frame stayed incomplete while the input of all sessions was over the limit',
    );
  }

  overRate(session: ClientSession, heldMs: number): void {
    const { timeoutMs } = this.#settings.current.rates;
    const { user } = session;
    this.#logger.warn(
      { ...who(session), user, heldMs: Math.round(heldMs), rateLimitTimeoutMs: timeoutMs },
      'session ended: it kept sending more than the rate of its user or address',
    );
  }

  /** @param queuedBytes wait for all sessions of this worker together */
  tooSlow(session: ClientSession, frames: number, bytes: number, reason: SlowReason, queuedBytes: number): void {
    this.#counters[DeliveryCounter.SlowConsumersEnded]!++;
    const { limits, maxQueuedBytes } = this.#settings.current;
    const { maxSessionMessages, maxSessionBytes } = limits;
    const fields = { ...who(session), waitingFrames: frames, waitingBytes: bytes };
    if (reason === 'all-sessions') {
      this.#logger.warn(
        { ...fields, queuedBytes, maxQueuedBytes },
        'session ended: slowest consumer while the queues of all sessions are over the limit',
      );
    } else if (reason === 'log')
      this.#logger.warn(fields, 'session ended: slow consumer that holds up the ordered log');
    else this.#logger.warn({ ...fields, maxSessionMessages, maxSessionBytes }, 'session ended: slow consumer');
  }
}

const who = ({ privateName, transport }: ClientSession) =>
  ({ session: privateName, peer: transport.peer.label }) satisfies LogFields;
