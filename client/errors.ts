import { RESULT_CODES, type ResultCode, type ResultCodeName } from '../engine/wire/result-codes.ts';

/**
 * - `daemon-vanished`: with CONNECTION_CLOSED, the machine of the daemon stopped answering (`daemonTimeoutMs`)
 * - `nobody-listens`: with COULD_NOT_CONNECT, no daemon listens at the address, so waiting for one may help
 */
export type ErrorReason = 'daemon-vanished' | 'nobody-listens';

/**
 * Every error this library makes. `code` is the name the Spread API gives the condition, `resultCode` its number
 * (client-protocol.md, sections 1.9 and 7.1); the message names the field, its value and the limit.
 */
export class SkeinError extends Error {
  /** `SkeinError`. */
  override readonly name = 'SkeinError';
  /** The condition by its name in the Spread API. */
  readonly code: ResultCodeName;
  /** The number of `code`, below 0. */
  readonly resultCode: ResultCode;
  /** Distinguishes cases of one code for programs; else undefined. */
  readonly reason: ErrorReason | undefined;

  /** @param options `cause`: the system's error, if there is one; `reason`: more about the code */
  constructor(code: ResultCodeName, message: string, options?: ErrorOptions & { readonly reason?: ErrorReason }) {
    super(message, options);
    this.code = code;
    this.reason = options?.reason;
    this.resultCode = RESULT_CODES[code];
  }
}

const REJECT_REASONS: Readonly<Record<number, readonly [ResultCodeName, string]>> = {
  [RESULT_CODES.REJECT_QUOTA]: [
    'REJECT_QUOTA',
    'it is busy or full: a limit of sessions, handshakes or waiting passwords is reached',
  ],
  [RESULT_CODES.REJECT_NO_NAME]: ['REJECT_NO_NAME', 'it wants a name'],
  [RESULT_CODES.REJECT_ILLEGAL_NAME]: ['REJECT_ILLEGAL_NAME', 'the name is illegal'],
  [RESULT_CODES.REJECT_NOT_UNIQUE]: ['REJECT_NOT_UNIQUE', 'the name is in use'],
  [RESULT_CODES.REJECT_VERSION]: ['REJECT_VERSION', 'it does not serve this protocol version'],
  [RESULT_CODES.REJECT_AUTH]: ['REJECT_AUTH', 'authentication failed'],
};

/** The error for a reject byte that came in place of `expected` while connecting under `name`. */
export function handshakeReject(resultCode: number, expected: string, name: string): SkeinError {
  const known = REJECT_REASONS[resultCode];
  const who = name === '' ? '' : ` (name "${name}")`;
  return known === undefined
    ? new SkeinError('CONNECTION_CLOSED', `the daemon answered ${resultCode}, an unknown code, in place of ${expected}`)
    : new SkeinError(known[0], `the daemon refused the session: ${known[1]}${who}`);
}
