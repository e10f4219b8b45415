import { MAX_GROUPS_PER_MESSAGE } from '../engine/wire/limits.ts';
import { type DaemonAddress, resolveAddress } from './address.ts';
import { type AuthMethod, type AuthOption, resolveAuth } from './auth.ts';
import { SkeinError } from './errors.ts';
import type { HandshakeRequest } from './handshake.ts';
import { checkUserName } from './names.ts';
import type { OutboundOptions } from './send/outbound.ts';
import type { SplitTargets, TargetLimits } from './send/target.ts';

/** How to reach a daemon and what session to ask it for. Everything has a default. */
export interface ConnectOptions {
  /**
   * Where the daemon is: Spread's string form (`4803` = Unix socket `/tmp/4803`, `4803@host` = TCP), `{ host, port }`
   * or `{ path }`. Default: port 4803 over the Unix socket.
   */
  readonly address?: string | DaemonAddress;
  /** Private name, 1 to 10 bytes, unique at the daemon. Absent or empty: the daemon invents one. */
  readonly name?: string;
  /** Whether to be told of membership; default true. Without it, joins and leaves are never confirmed. */
  readonly membership?: boolean;
  /** Sent for completeness: no known daemon uses it. Default 0. */
  readonly priority?: 0 | 1;
  /** Default `NULL`. */
  readonly auth?: AuthOption;
  /** For connection and handshake together, of each attempt; default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Ends the connecting; the promise rejects with the signal's reason. Of no effect once connected. */
  readonly signal?: AbortSignal;
  /**
   * A name stays taken until the daemons have agreed that its last owner is gone (client-protocol.md, section 1.3),
   * so a refusal with REJECT_NOT_UNIQUE is tried again. Default 5 attempts in all, 50 ms apart.
   */
  readonly retryNameInUse?: { readonly attempts: number; readonly delayMs: number };
  /** Bytes of received, not yet taken frames at which the socket is paused; default 4 MiB. */
  readonly receiveQueueBytes?: number;
  /** Bytes of unsent frames at which `multicast` answers false; default 1 MiB. */
  readonly sendQueueBytes?: number;
  /** Data shorter than this is copied when sent, longer is sent from where it is; default 16 KiB. */
  readonly copyBelowBytes?: number;
  /** How long `close` waits for what was sent to leave and for the daemon to hang up; default 5,000. */
  readonly closeTimeoutMs?: number;
  /**
   * The session ends with CONNECTION_CLOSED, `reason: 'daemon-vanished'`, when the daemon's machine has not answered for so long:
   * neither keep-alive while nothing is sent, nor (on Linux) what is sent. A daemon that is only busy answers. Over TCP; 1,000 to
   * 7,200,000, default 60,000; 0 leaves it to the system, which takes hours. The system's keep-alive takes 11 s at least.
   */
  readonly daemonTimeoutMs?: number;
  /** More targets in one multicast than this are refused; default and most 100. */
  readonly maxTargets?: number;
  /** What to do with more than 43 targets; default `never`. */
  readonly splitTargets?: SplitTargets;
  /** Where daemons put their Unix sockets; default `/tmp`. */
  readonly socketDirectory?: string;
}

/** Options checked and filled in. */
export interface ResolvedOptions extends HandshakeRequest, OutboundOptions, TargetLimits {
  readonly address: DaemonAddress;
  readonly auth: readonly AuthMethod[];
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly retryNameInUse: { readonly attempts: number; readonly delayMs: number };
  readonly receiveQueueBytes: number;
  readonly closeTimeoutMs: number;
  readonly daemonTimeoutMs: number;
}

const DEFAULT_RETRY = { attempts: 5, delayMs: 50 };
/** The longest time a Node timer takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

function checkInteger(field: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new SkeinError('ILLEGAL_PARAM', `${field} ${value}: must be an integer from ${min} to ${max}`);
  return value;
}

const checkTimeout = (field: string, value: number): number => checkInteger(field, value, 1, MAX_TIMEOUT_MS);
const checkBytes = (field: string, value: number): number => checkInteger(field, value, 1, Number.MAX_SAFE_INTEGER);

/** Keep-alive counts in seconds, and Linux takes no more than 32,767 of them. */
const checkDaemonTimeout = (value: number): number =>
  value === 0 ? 0 : checkInteger('daemonTimeoutMs', value, 1000, 7_200_000);

/** Fills in defaults. Throws SkeinError naming the first option that is out of its range. */
export function resolveOptions(options: ConnectOptions): ResolvedOptions {
  const { name = '', priority = 0, splitTargets = 'never', copyBelowBytes = 16 * 1024 } = options;
  const retry = options.retryNameInUse ?? DEFAULT_RETRY;
  if (name !== '') checkUserName(name);
  if (priority !== 0 && priority !== 1)
    throw new SkeinError('ILLEGAL_PARAM', `priority ${String(priority)}: must be 0 or 1`);
  if (splitTargets !== 'never' && splitTargets !== '43')
    throw new SkeinError('ILLEGAL_PARAM', `splitTargets ${String(splitTargets)}: must be "never" or "43"`);
  return {
    address: resolveAddress(options.address ?? '', options.socketDirectory ?? '/tmp'),
    name,
    membership: options.membership ?? true,
    priority,
    auth: resolveAuth(options.auth ?? 'NULL'),
    connectTimeoutMs: checkTimeout('connectTimeoutMs', options.connectTimeoutMs ?? 5_000),
    signal: options.signal,
    retryNameInUse: {
      attempts: checkInteger('retryNameInUse.attempts', retry.attempts, 1, 1_000_000),
      delayMs: checkInteger('retryNameInUse.delayMs', retry.delayMs, 0, MAX_TIMEOUT_MS),
    },
    receiveQueueBytes: checkBytes('receiveQueueBytes', options.receiveQueueBytes ?? 4 * 1024 * 1024),
    sendQueueBytes: checkBytes('sendQueueBytes', options.sendQueueBytes ?? 1024 * 1024),
    copyBelowBytes:
      copyBelowBytes === Number.POSITIVE_INFINITY ? copyBelowBytes : checkBytes('copyBelowBytes', copyBelowBytes),
    closeTimeoutMs: checkTimeout('closeTimeoutMs', options.closeTimeoutMs ?? 5_000),
    daemonTimeoutMs: checkDaemonTimeout(options.daemonTimeoutMs ?? 60_000),
    maxTargets: checkInteger('maxTargets', options.maxTargets ?? MAX_GROUPS_PER_MESSAGE, 1, MAX_GROUPS_PER_MESSAGE),
    splitTargets,
  };
}
