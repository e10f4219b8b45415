import type { NodeIndex, SessionHandle } from '../wire/ids.ts';

/**
 * What can be wrong at the end of a state exchange with what is known of a daemon:
 * - `left-out`: no valid table covered it, and its clients are in no group any more, at all daemons;
 * - `differs`: a table covered it that differs from this daemon's own state.
 */
export type ExchangeFault = 'left-out' | 'differs';

/**
 * Output of the process-group layer. Calls are synchronous and in the order of deliveries: each applies to everything delivered after it.
 * Byte ranges, and lists of sessions, are lent for the call only.
 */
export interface GroupsOutput {
  /** A session of this daemon became a member: it gets what is sent to `group` from here on. */
  memberAdded(group: string, session: SessionHandle): void;
  /** A session of this daemon stopped being a member. */
  memberRemoved(group: string, session: SessionHandle): void;
  /** A frame for every local member of `group` that wants membership messages. */
  groupFrame(group: string, frame: Uint8Array, lengthBytes: number): void;
  /** A frame for these local sessions only: self-leaves, and views whose copies differ by receiver. */
  sessionsFrame(sessions: readonly SessionHandle[], frame: Uint8Array, lengthBytes: number): void;
  /** The disconnect of a local session was ordered: its private name is free again. */
  sessionEnded(session: SessionHandle): void;
  /**
   * State exchange: to be ordered as the body of one GROUPS record, in the order of the calls, before any client data. A body is at
   * most `groupsBodyBytes` long. Bodies that miss their configuration are harmless: receivers recognise them.
   */
  sendGroups(body: Uint8Array): void;
  /** Whether client records (messages, joins, leaves, disconnects) must be kept out of the order (ring-protocol.md, 4.5). */
  blockClients(blocked: boolean): void;
  /** A view of `group` was not sent because its frame is longer than one may be. */
  frameTooLong(group: string, lengthBytes: number): void;
  /** A daemon of the configuration is faulty, or another sends in its name. */
  exchangeFault(fault: ExchangeFault, node: NodeIndex): void;
}
