/**
 * The options of delivery workers that may change while the daemon runs, as one object that is replaced whole. Its way:
 * part of a `SettingsSnapshot` -> each thread -> `DeliveryAgent.prepare` -> the worker's `Live<DeliverySettings>`, which the parts of a
 * worker ask at each use. ARCHITECTURE.md, "Where to add what", says how an option gets here.
 */
import type { AccessRules } from '../../engine/access/access-rules.ts';
import type { AccessList } from '../../engine/config/access-ip.ts';
import type { PasswordEntry } from '../../engine/config/password-file.ts';
import type { ScramUsers } from '../../engine/config/scram-file.ts';
import type { AuthPolicy } from '../../engine/wire/server-handshake.ts';
import type { RateSettings } from './party-limits.ts';
import type { TlsSettings } from './tls-settings.ts';

/** What may wait for one session. */
export interface SlowConsumerLimits {
  readonly maxSessionMessages: number;
  readonly maxSessionBytes: number;
  readonly policy: 'disconnect' | 'drop-unreliable';
}

/** Plain data: it travels to worker threads. */
export interface DeliverySettings {
  /** Of the whole daemon, which the ring agent keeps to as well; sessions beyond a lower one stay. */
  readonly maxSessions: number;
  /** Time without an answer of a client's machine, for all connections; 0: none. */
  readonly clientTimeoutMs: number;
  /** File mode of the Unix socket. */
  readonly unixSocketMode: number;
  /** For connections accepted from now on; none of them times out before an earlier one. */
  readonly handshakeTimeoutMs: number;
  /** Connections that are no sessions. */
  readonly maxHandshakes: number;
  readonly maxWaitingPasswords: number;
  /** Of all sessions together. */
  readonly maxInputBytes: number;
  /** Of what waits for all clients of the daemon together. */
  readonly maxQueuedBytes: number;
  /** Bytes of views a second that clients may cause at each member by moving, while the daemon drains. Of all workers together. */
  readonly drainViewBytes: number;
  readonly limits: SlowConsumerLimits;
  /** Of users and addresses; of all workers together, which share them (engine/buffers/rate-table.ts). */
  readonly rates: RateSettings;
  /** Groups that one client may be in; a client in more stays in them. */
  readonly maxSessionGroups: number;
  /** For logins that begin from now on; existing sessions stay. */
  readonly auth: AuthPolicy;
  readonly access: AccessList;
  readonly passwords: ReadonlyMap<string, PasswordEntry>;
  readonly scram: ScramUsers;
  /** For joins and messages that come from now on, also of sessions that are open; null: everything is allowed. */
  readonly rights: AccessRules | null;
  /** For connections that come from now on; null: no TLS. */
  readonly tls: TlsSettings | null;
  /** Pages that may open WebSockets from now on; empty: those of the same host. */
  readonly webSocketOrigins: readonly string[];
}

/** The part of one worker in what is limited for all of them. `maxQueuedBytes` is watched over all (`QueueCap`). */
export const shareOfWorker = (settings: DeliverySettings, workers: number): DeliverySettings => ({
  ...settings,
  maxHandshakes: Math.ceil(settings.maxHandshakes / workers),
  maxWaitingPasswords: Math.ceil(settings.maxWaitingPasswords / workers),
  maxInputBytes: Math.ceil(settings.maxInputBytes / workers),
  drainViewBytes: Math.ceil(settings.drainViewBytes / workers),
});
