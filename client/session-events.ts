import type { DrainNotice } from '../engine/wire/drain-notice.ts';
import type { SkeinError } from './errors.ts';
import type { Membership, Message, Reject, SelfLeave, Transition } from './events.ts';

/** Events that sessions of both kinds emit beside what they receive. */
export interface EndEvents {
  /**
   * The daemon drains: it takes no new clients, and ends this session in `msLeft`. Comes as soon as the notice is read, in every way of
   * receiving; while the session is paused, or its queue full, nothing is read.
   */
  drain: [notice: DrainNotice];
  /** The connection was lost. As usual, without a listener it is an uncaught exception; not if one iterates. */
  error: [error: SkeinError];
  /** The session is over: with the error, or without when it was closed by this side and all that was sent left. */
  close: [error: SkeinError | undefined];
  /** Node's own: a listener is about to be added. */
  newListener: [event: string | symbol, listener: (...args: unknown[]) => void];
  /** Node's own: a listener was taken away. */
  removeListener: [event: string | symbol, listener: (...args: unknown[]) => void];
}

/** Events of a session and what their listeners get. */
export interface SessionEvents extends EndEvents {
  /** A message of a client. */
  message: [message: Message];
  /** A new view of a group. */
  membership: [membership: Membership];
  /** The transitional signal before a view that loses members. */
  transition: [transition: Transition];
  /** This session has left a group. */
  selfLeave: [selfLeave: SelfLeave];
  /** The daemon refused a request, by its access control or a limit. */
  reject: [reject: Reject];
}

export const RECEIVE_EVENTS = ['message', 'membership', 'transition', 'selfLeave', 'reject'] as const;
