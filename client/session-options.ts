/** Options of a session, however its daemon is reached. */
import { MAX_GROUPS_PER_MESSAGE } from '../engine/wire/limits.ts';
import { type AuthOption, type AuthPlan, resolveAuth } from './auth.ts';
import { checkBoolean, checkInteger, checkString, illegal, readFields, reading } from './check.ts';
import { checkUserName } from './check-names.ts';
import type { HandshakeRequest } from './handshake.ts';
import type { OutboundOptions } from './send/outbound.ts';
import type { SplitTargets, TargetLimits } from './send/target.ts';

/** What session to ask a daemon for. Everything has a default. */
export interface SessionOptions {
  /** Private name, 1 to 10 bytes, unique at the daemon. Absent or empty: the daemon invents one. */
  readonly name?: string;
  /** Whether to receive membership; default true. Without it, joins and leaves are never confirmed. */
  readonly membership?: boolean;
  /** Sent for completeness: no known daemon uses it. Default 0. */
  readonly priority?: 0 | 1;
  /** How to authenticate: `NULL`, `IP`, user and password (SCRAM-SHA-256, unless `methods` allows PWORD), or custom methods. Default `NULL`. */
  readonly auth?: AuthOption;
  /** Milliseconds for connection and handshake together, of each attempt; 1 to 2,147,483,647, default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Ends the connecting; the promise rejects with the signal's reason. Of no effect once connected. */
  readonly signal?: AbortSignal;
  /**
   * A name stays taken until the daemons have agreed that its last owner is gone (client-protocol.md, section 1.3),
   * so a refusal with REJECT_NOT_UNIQUE is tried again. Default 5 attempts in all, 50 ms apart.
   */
  readonly retryNameInUse?: {
    /** Attempts in all, the first one counted: 1 to 1,000,000. */
    readonly attempts: number;
    /** Pause between two attempts, 0 to 2,147,483,647 ms. */
    readonly delayMs: number;
  };
  /** Bytes of received, not yet taken frames at which the socket is paused; default 4 MiB. */
  readonly receiveQueueBytes?: number;
  /** Bytes of unsent frames at which `multicast` answers false; default 1 MiB. */
  readonly sendQueueBytes?: number;
  /** Data of fewer bytes is copied when sent, longer is sent from where it is; default 16 KiB, `Infinity`: always copy. */
  readonly copyBelowBytes?: number;
  /** Milliseconds that `close` waits for what was sent to leave and for the daemon to hang up; 1 to 2,147,483,647, default 5,000. */
  readonly closeTimeoutMs?: number;
  /** More targets in one multicast than this are refused; default and most 100. */
  readonly maxTargets?: number;
  /** What to do with more than 43 targets; default `never`. */
  readonly splitTargets?: SplitTargets;
}

/** Options checked and filled in. */
export interface SessionSettings extends HandshakeRequest, OutboundOptions, TargetLimits {
  readonly auth: AuthPlan;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly retryNameInUse: { readonly attempts: number; readonly delayMs: number };
  readonly receiveQueueBytes: number;
  readonly closeTimeoutMs: number;
}

export const DEFAULT_RECEIVE_QUEUE_BYTES = 4 * 1024 * 1024;
const DEFAULT_RETRY = { attempts: 5, delayMs: 50 };
/** The longest time a timer takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Every option there is; the compiler sees to it that none is forgotten. */
export const SESSION_OPTION_NAMES: Readonly<Record<keyof SessionOptions, true>> = {
  name: true,
  membership: true,
  priority: true,
  auth: true,
  connectTimeoutMs: true,
  signal: true,
  retryNameInUse: true,
  receiveQueueBytes: true,
  sendQueueBytes: true,
  copyBelowBytes: true,
  closeTimeoutMs: true,
  maxTargets: true,
  splitTargets: true,
};

const checkTimeout = (field: string, value: unknown): number => checkInteger(field, value, 1, MAX_TIMEOUT_MS);
export const checkBytes = (field: string, value: unknown): number =>
  checkInteger(field, value, 1, Number.MAX_SAFE_INTEGER);

function checkName(name: unknown): string {
  const text = checkString('name', name, 'REJECT_ILLEGAL_NAME');
  if (text !== '') checkUserName(text);
  return text;
}

function checkPriority(priority: unknown): 0 | 1 {
  if (priority !== 0 && priority !== 1) throw illegal('priority', priority, '0 or 1');
  return priority;
}

function checkSplitTargets(splitTargets: unknown): SplitTargets {
  if (splitTargets !== 'never' && splitTargets !== '43') throw illegal('splitTargets', splitTargets, '"never" or "43"');
  return splitTargets;
}

function checkRetry(retry: unknown): { readonly attempts: number; readonly delayMs: number } {
  const { attempts = DEFAULT_RETRY.attempts, delayMs = DEFAULT_RETRY.delayMs } = readFields('retryNameInUse', retry, [
    'attempts',
    'delayMs',
  ]);
  return {
    attempts: checkInteger('retryNameInUse.attempts', attempts, 1, 1_000_000),
    delayMs: checkInteger('retryNameInUse.delayMs', delayMs, 0, MAX_TIMEOUT_MS),
  };
}

/** An AbortSignal, also of another realm or of a library that stands in for it. */
function checkSignal(signal: unknown): AbortSignal {
  const isSignal = reading(
    'signal',
    () =>
      typeof signal === 'object' &&
      signal !== null &&
      typeof (signal as AbortSignal).aborted === 'boolean' &&
      typeof (signal as AbortSignal).addEventListener === 'function' &&
      typeof (signal as AbortSignal).removeEventListener === 'function',
  );
  if (!isSignal) throw illegal('signal', signal, 'an AbortSignal');
  return signal as AbortSignal;
}

/** The option, checked, or its default when it is left out. */
export const optional = <T>(value: unknown, missing: T, check: (value: unknown) => T): T =>
  value === undefined ? missing : check(value);

/** Fills in defaults. Throws SkeinError naming the first option that is of the wrong type or out of its range. */
export function resolveSessionOptions(
  given: Readonly<Partial<Record<keyof SessionOptions, unknown>>>,
): SessionSettings {
  const bytes = (field: keyof SessionOptions, missing: number): number =>
    optional(given[field], missing, (value) => checkBytes(field, value));
  return {
    name: optional(given.name, '', checkName),
    membership: optional(given.membership, true, (value) => checkBoolean('membership', value)),
    priority: optional<0 | 1>(given.priority, 0, checkPriority),
    auth: resolveAuth(given.auth === undefined ? 'NULL' : (given.auth as AuthOption)),
    connectTimeoutMs: optional(given.connectTimeoutMs, 5_000, (value) => checkTimeout('connectTimeoutMs', value)),
    signal: optional<AbortSignal | undefined>(given.signal, undefined, checkSignal),
    retryNameInUse: optional(given.retryNameInUse, DEFAULT_RETRY, checkRetry),
    receiveQueueBytes: bytes('receiveQueueBytes', DEFAULT_RECEIVE_QUEUE_BYTES),
    sendQueueBytes: bytes('sendQueueBytes', 1024 * 1024),
    copyBelowBytes:
      given.copyBelowBytes === Number.POSITIVE_INFINITY ? given.copyBelowBytes : bytes('copyBelowBytes', 16 * 1024),
    closeTimeoutMs: optional(given.closeTimeoutMs, 5_000, (value) => checkTimeout('closeTimeoutMs', value)),
    maxTargets: optional(given.maxTargets, MAX_GROUPS_PER_MESSAGE, (value) =>
      checkInteger('maxTargets', value, 1, MAX_GROUPS_PER_MESSAGE),
    ),
    splitTargets: optional<SplitTargets>(given.splitTargets, 'never', checkSplitTargets),
  };
}
