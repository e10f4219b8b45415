/**
 * The options of the ring and network agents that may change while the daemon runs. Their way: part of a `SettingsSnapshot` -> each
 * thread -> `prepare` of both agents, each of which puts in force what concerns it. Windows that an operator sets come from a monitor,
 * through the network agent, to the same `change`. ARCHITECTURE.md, "Where to add what", says how an option gets here.
 */
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import type { RingWindows } from '../../engine/host/ring-options.ts';

/** Plain data: it travels to worker threads. */
export interface RingSettings {
  /** From the next visit of the token on. `window` is at most what the daemon started with, and the kind of ring stays. */
  readonly windows: RingWindows;
  /** For datagrams sealed from now on, and commands of monitors; null in a daemon that started without keys, which continues without. */
  readonly clusterKeys: readonly ClusterKey[] | null;
  /** Names that may be registered; those beyond a lower limit stay. */
  readonly maxSessions: number;
  /** Whether commands of monitors that are sealed with a key are obeyed. */
  readonly dangerousMonitor: boolean;
}
