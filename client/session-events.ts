import type { SkeinError } from './errors.ts';
import type { Membership, Message, Reject, SelfLeave, Transition } from './events.ts';

/** Events of a session and what their listeners get. */
export interface SessionEvents {
  message: [message: Message];
  membership: [membership: Membership];
  transition: [transition: Transition];
  selfLeave: [selfLeave: SelfLeave];
  reject: [reject: Reject];
  /** The connection was lost. As usual, without a listener it is an uncaught exception; not if one iterates. */
  error: [error: SkeinError];
  /** The session is over: with the error, or without when it was closed by this side and all that was sent left. */
  close: [error: SkeinError | undefined];
  newListener: [event: string | symbol, listener: (...args: unknown[]) => void];
}

export const RECEIVE_EVENTS = ['message', 'membership', 'transition', 'selfLeave', 'reject'] as const;
export const isReceiveEvent = (event: string | symbol): boolean =>
  (RECEIVE_EVENTS as readonly unknown[]).includes(event);
