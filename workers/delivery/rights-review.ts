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
const FILE_OF = { PWORD: 'PasswordFile', 'SCRAM-SHA-256': 'ScramFile' } as const;

/** That read a file of users. */
type PasswordMethod = keyof typeof FILE_OF;
type ReviewSettings = Pick<DeliverySettings, 'rights' | 'auth' | 'passwords' | 'scram'>;

/** Whether sessions that were good before may not be so now. */
export const takesAway = (before: ReviewSettings, after: ReviewSettings): boolean =>
  (after.rights !== null && after.rights !== before.rights) ||
  (after.passwords !== before.passwords && uses(after, 'PWORD')) ||
  (after.scram !== before.scram && uses(after, 'SCRAM-SHA-256'));

/** Without the method its file is not read, and nobody's user is judged by it. */
const uses = ({ auth: { allowed, required } }: ReviewSettings, method: PasswordMethod): boolean =>
  allowed.includes(method) || required.includes(method);

const hasUser = ({ passwords, scram }: ReviewSettings, method: PasswordMethod, user: string): boolean =>
  method === 'PWORD' ? passwords.has(user) : scram.entries.has(user);

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
    const settings = this.#settings.current;
    const { rights } = settings;
    const { user, provenBy } = session;
    if (user !== null && provenBy !== null && uses(settings, provenBy) && !hasUser(settings, provenBy, user)) {
      this.#parts.end(session, `its user is not in ${FILE_OF[provenBy]} any more`);
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
