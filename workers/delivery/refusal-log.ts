/** Tells the log of refused connections, without letting strangers fill it. */
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import type { ClientSession } from './client-session.ts';

const PERIOD_MS = 1000;
const NO_DESCRIPTORS: readonly string[] = ['EMFILE', 'ENFILE'];
/** Told one by one in each period; the others only by their number. */
const TOLD_PER_PERIOD = 10;

export class RefusalLog {
  readonly #logger: Log;
  readonly #crowds = new OnceAMinute();
  #periodEndsMs = 0;
  #refused = 0;

  constructor(logger: Log) {
    this.#logger = logger;
  }

  refused(session: ClientSession, reason: string, nowMs: number): void {
    if (this.#mayTell(nowMs))
      this.#logger.info(
        { peer: session.transport.peer.label, name: session.privateName, reason },
        'connection refused',
      );
  }

  /** A connection that never became one of a client. */
  refusedPeer(peer: string, reason: string, nowMs: number): void {
    if (this.#mayTell(nowMs)) this.#logger.info({ peer, reason }, 'connection refused');
  }

  #mayTell(nowMs: number): boolean {
    this.poll(nowMs);
    if (this.#refused === 0) this.#periodEndsMs = nowMs + PERIOD_MS;
    this.#refused++;
    return this.#refused <= TOLD_PER_PERIOD;
  }

  /** Clients are turned away because there are too many of them: what the operator must know, once a minute. */
  crowded(reason: string, nowMs: number): void {
    if (this.#crowds.allows(reason, nowMs)) this.#logger.warn({ reason }, 'clients are turned away');
  }

  /** @param errno such as `EMFILE` */
  notAccepted(errno: string, acceptErrors: number, nowMs: number): void {
    if (!this.#crowds.allows(errno, nowMs)) return;
    const way = NO_DESCRIPTORS.includes(errno) ? '; raise the limit of open files (ulimit -n, LimitNOFILE)' : '';
    this.#logger.warn({ errno, acceptErrors }, `connections cannot be accepted${way}`);
  }

  poll(nowMs: number): void {
    if (this.#refused === 0 || nowMs < this.#periodEndsMs) return;
    const untold = this.#refused - TOLD_PER_PERIOD;
    if (untold > 0) this.#logger.info({ count: untold }, 'more connections refused');
    this.#refused = 0;
  }
}
