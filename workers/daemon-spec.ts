/** What a daemon is, as plain data that worker threads can be given. */
import type { AccessList } from '../engine/config/access-ip.ts';
import type { ClusterKey } from '../engine/config/cluster-keys.ts';
import type { PasswordEntry } from '../engine/config/password-file.ts';
import type { AuthPolicy } from '../engine/wire/handshake.ts';
import type { ListenAddress } from './delivery/listener.ts';
import type { SlowConsumerLimits } from './delivery/log-consumer.ts';
import type { LogLevel } from './log.ts';
import type { NetworkOptions } from './network.ts';
import type { RingAgentOptions } from './ring.ts';

export interface DaemonSpec {
  readonly name: string;
  readonly logLevel: LogLevel | 'silent';
  readonly listen: readonly ListenAddress[];
  readonly listenBacklog: number;
  readonly maxSessions: number;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly maxWaitingPasswords: number;
  readonly maxInputBytes: number;
  /** 0: none. */
  readonly clientTimeoutMs: number;
  readonly auth: AuthPolicy;
  readonly access: AccessList;
  readonly passwords: ReadonlyMap<string, PasswordEntry>;
  readonly limits: SlowConsumerLimits;
  /** Of what waits for all clients together. */
  readonly maxQueuedBytes: number;
  readonly maxSessionGroups: number;
  readonly ring: RingAgentOptions;
  readonly network: NetworkOptions;
  /** Seals traffic between daemons; null: a checksum only. */
  readonly clusterKeys: readonly ClusterKey[] | null;
}
