/**
 * What becomes of open sessions when a reload takes rights or users away. What they send is judged by the new rights at once
 * (`AccessControl`). Here groups are left that a session may not join any more, in the order, as if its client had asked for it; and a
 * session is ended whose user is gone, or has no right left. Some sessions in each duty cycle, however many there are.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { writeName } from '../../engine/wire/frame.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import { rightsOf } from './session-rights.ts';
import type { SubmitPort } from './submit-port.ts';

const SESSIONS_PER_CYCLE = 64;
const NO_RIGHT = 'AccessFile has no right for it any more';
const NO_USER = 'its user is not in PasswordFile any more';

type ReviewSettings = Pick<DeliverySettings, 'rights' | 'auth' | 'passwords'>;

/** Whether sessions that were good before may not be so now. */
export const takesAway = (before: ReviewSettings, after: ReviewSettings): boolean =>
  (after.rights !== null && after.rights !== before.rights) ||
  (after.passwords !== before.passwords && provesUsers(after));

/** Whether a user can only come from the password file: without a method that reads it, nobody's user is judged by it. */
const provesUsers = ({ auth: { allowed, required } }: ReviewSettings): boolean =>
  [...allowed, ...required].some((method) => method !== 'NULL' && method !== 'IP');

export interface ReviewParts {
  readonly port: SubmitPort;
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  readonly end: (session: ClientSession, reason: string) => void;
}

export class RightsReview {
  readonly #settings: Live<ReviewSettings>;
  readonly #sessions: ReadonlyMap<number, ClientSession>;
  readonly #parts: ReviewParts;
  readonly #told = new OnceAMinute();
  readonly #field = new Uint8Array(NAME_FIELD_LENGTH);
  readonly #view = new DataView(this.#field.buffer);
  /** Still to be looked at, last first. */
  #waiting: ClientSession[] = [];

  constructor(settings: Live<ReviewSettings>, sessions: ReadonlyMap<number, ClientSession>, parts: ReviewParts) {
    this.#settings = settings;
    this.#sessions = sessions;
    this.#parts = parts;
  }

  begin(): void {
    this.#waiting = [...this.#sessions.values()];
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** @returns how many sessions were looked at */
  poll(): number {
    let looked = 0;
    while (looked < SESSIONS_PER_CYCLE) {
      const session = this.#waiting.at(-1);
      if (session === undefined) break;
      looked++;
      if (session.state === 'open' && !this.#review(session)) break;
      this.#waiting.pop();
    }
    return looked;
  }

  /** @returns false when the submit queue is full: the same session again */
  #review(session: ClientSession): boolean {
    const { rights, passwords } = this.#settings.current;
    const { user, transport } = session;
    const isOfFile = user !== null && user !== (transport.peer.certificate ?? null);
    if (isOfFile && provesUsers(this.#settings.current) && !passwords.has(user)) {
      this.#parts.end(session, NO_USER);
      return true;
    }
    if (rights === null) return true;
    const own = rightsOf(session, rights);
    if (own.isEmpty) {
      this.#parts.end(session, NO_RIGHT);
      return true;
    }
    for (const group of session.groups) {
      this.#field.fill(0);
      writeName(this.#field, 0, group);
      if (own.mayJoin(this.#field, this.#view, 0)) continue;
      if (!this.#parts.port.leave(session.handle, group, session.privateName)) return false;
      session.groups.delete(group);
      this.#tell(session, group);
    }
    return true;
  }

  #tell({ handle, privateName, transport, user }: ClientSession, group: string): void {
    const { counters, logger, now } = this.#parts;
    counters[DeliveryCounter.JoinsRevoked]!++;
    if (!this.#told.allows(String(handle), now())) return;
    const fields = { session: privateName, peer: transport.peer.label, user, group };
    logger.warn(fields, 'session left a group: AccessFile does not allow it any more');
  }
}
