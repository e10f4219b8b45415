/** What happens in a daemon that an operator follows: told by agents beside the log, whatever the log's level. Rare by nature. */

/**
 * Why a session ended: its client asked for it, closed the connection or lost it, or moved away because the daemon drains; or the daemon
 * ended it, because it read too slowly, broke the protocol, did not complete a frame, its machine stopped answering, a reload took its
 * rights away, or the daemon stops.
 */
export type EndCause =
  | 'asked'
  | 'closed'
  | 'lost'
  | 'moved'
  | 'slow'
  | 'protocol'
  | 'incomplete'
  | 'vanished'
  | 'revoked'
  | 'rate'
  | 'stopped';

/** Of these an operator wants to know; clients that leave by themselves are many. */
export const TOLD_CAUSES: ReadonlySet<EndCause> = new Set([
  'slow',
  'protocol',
  'incomplete',
  'vanished',
  'rate',
  'revoked',
]);

export type DaemonEvent =
  /** A regular configuration was installed. */
  | { readonly kind: 'membership'; readonly ringSeq: number; readonly members: readonly string[] }
  /** The daemon ended a session. */
  | { readonly kind: 'session-ended'; readonly session: EndedSession };

/** A session that is over. */
export interface EndedSession {
  /** Private name, `#user#daemon`. */
  readonly name: string;
  /** Where its client was: `127.0.0.1:51234`, or `unix`. */
  readonly peer: string;
  readonly cause: EndCause;
  /** The cause in words, with the limit where there is one. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  readonly lastedMs: number;
  readonly waitingBytes: number;
  readonly waitingMessages: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
}
