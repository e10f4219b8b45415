/** Holds what clients ask for against `AccessFile`; counts and logs what it refuses. Of no cost without such a file. */

import type { AccessRules } from '../../engine/access/access-rules.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { readName } from '../../engine/wire/frame.ts';
import { FRAME_GROUPS_OFFSET } from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH, PRIVATE_NAME_MARK } from '../../engine/wire/limits.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import type { ClientSession } from './client-session.ts';
import { rightsOf } from './session-rights.ts';

/** Every target is allowed. */
export const NONE_FORBIDDEN = -1;

export class AccessControl {
  readonly #counters: Float64Array;
  readonly #logger: Log;
  readonly #now: () => number;
  readonly #told = new OnceAMinute();

  constructor(counters: Float64Array, logger: Log, now: () => number) {
    this.#counters = counters;
    this.#logger = logger;
    this.#now = now;
  }

  /** Whether the session may join the group that is named first in the frame at `start`; tells of a refusal. */
  admitsJoin(session: ClientSession, rules: AccessRules, bytes: Uint8Array, view: DataView, start: number): boolean {
    const field = start + FRAME_GROUPS_OFFSET;
    if (rightsOf(session, rules).mayJoin(bytes, view, field)) return true;
    this.#counters[DeliveryCounter.JoinsForbidden]!++;
    this.#tell(session, 'join', bytes, field);
    return false;
  }

  /**
   * The first target of the frame at `start` that the session may not send to, or `NONE_FORBIDDEN`.
   * @param hash of the only target; 0: there are others, or none
   */
  forbiddenTarget(
    session: ClientSession,
    rules: AccessRules,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    groupCount: number,
    hash: number,
  ): number {
    const rights = rightsOf(session, rules);
    let field = start + FRAME_GROUPS_OFFSET;
    for (let i = 0; i < groupCount; i++) {
      if (!rights.maySendTo(bytes, view, field, hash)) return i;
      field += NAME_FIELD_LENGTH;
    }
    return NONE_FORBIDDEN;
  }

  /** So many messages were refused for one target. @param field where it stands */
  refusedMessages(session: ClientSession, frames: number, bytes: Uint8Array, field: number): void {
    const isPrivate = bytes[field] === PRIVATE_NAME_MARK;
    if (isPrivate) this.#counters[DeliveryCounter.PrivatesForbidden]! += frames;
    else this.#counters[DeliveryCounter.MessagesForbidden]! += frames;
    this.#tell(session, isPrivate ? 'private' : 'send', bytes, field);
  }

  #tell(session: ClientSession, right: string, bytes: Uint8Array, field: number): void {
    const { handle, privateName, transport, user } = session;
    if (!this.#told.allows(`${handle} ${right}`, this.#now())) return;
    const fields = { session: privateName, peer: transport.peer.label, user, right, target: readName(bytes, field) };
    this.#logger.warn(fields, 'AccessFile does not allow what a client asked for');
  }
}
