/** What a daemon is, as plain data that worker threads can be given. */
import type { ClusterKey } from '../engine/config/cluster-keys.ts';
import type { ListenAddress } from './delivery/client-listener.ts';
import type { DeliverySettings } from './delivery/delivery-settings.ts';
import type { DrainTarget } from './delivery/drain-target.ts';
import type { LogRecordLevel } from './log.ts';
import type { NetworkOptions } from './network-agent.ts';
import type { RingAgentOptions } from './ring-agent.ts';

export interface DaemonSpec {
  readonly name: string;
  readonly logLevel: LogRecordLevel | 'silent';
  readonly listen: readonly ListenAddress[];
  readonly listenBacklog: number;
  /** With which the delivery workers begin; they may be given others later. */
  readonly delivery: DeliverySettings;
  /** The other daemons of the configuration, as clients can reach them. */
  readonly drainTargets: readonly DrainTarget[];
  readonly ring: RingAgentOptions;
  readonly network: NetworkOptions;
  /** Seals traffic between daemons; null: a checksum only. */
  readonly clusterKeys: readonly ClusterKey[] | null;
}
