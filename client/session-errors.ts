/** How sessions of both layers say that they are over, or used in two ways at once. */
import { SkeinError } from './errors.ts';

export const sessionClosed = (): SkeinError => new SkeinError('ILLEGAL_SESSION', 'the session is closed');

/** @param ways such as `iterating or events` */
export const mixedReceiving = (ways: string): SkeinError =>
  new SkeinError('ILLEGAL_STATE', `receive in one way at a time: ${ways}`);

export const asSkeinError = (reason: unknown): SkeinError =>
  reason instanceof SkeinError
    ? reason
    : new SkeinError('CONNECTION_CLOSED', 'the connection ended', { cause: reason });
