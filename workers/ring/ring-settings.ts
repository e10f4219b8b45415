/**
 * The options of the ring and network agents that may change while the daemon runs. Their way: `Supervisor.changeRing` -> message to each
 * thread -> `change` of both agents, each of which puts in force what concerns it. Windows that an operator sets come from a monitor,
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
}

/** Only what changes: windows set by an operator stay when keys change. */
export type RingChange = Partial<RingSettings>;
