/** Which agents share a thread. */

/** How agents are laid out on threads (docs/configuration.md, `threadingMode`). */
export type ResolvedThreadingMode = 'dedicated' | 'shared-network' | 'shared' | 'inline';

/** `network`, `ring`, or the number of a delivery worker. */
export type AgentRole = 'network' | 'ring' | number;

export interface ThreadPlan {
  readonly name: string;
  /** In the order of a duty cycle: what the ring has to send and deliver leaves in the same cycle. */
  readonly roles: readonly AgentRole[];
  /** Owns no sockets, so it may block on its doorbell. */
  readonly blocking: boolean;
}

export interface ThreadingPlan {
  readonly mode: ResolvedThreadingMode;
  readonly deliveryWorkers: number;
  readonly threads: readonly ThreadPlan[];
}

/** Cores from which delivery pays for a thread of its own: network and ring, delivery, and the rest of the machine. */
const CORES_FOR_SHARED_NETWORK = 4;
/** Node from here on lets several listeners share a port evenly; before, more than one delivery worker is badly balanced. */
const FIRST_NODE_WITH_REUSE_PORT = { major: 23, minor: 1 } as const;

export interface MachineFacts {
  readonly cores: number;
  readonly nodeVersion: string;
}

export function hasReusePort(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const first = FIRST_NODE_WITH_REUSE_PORT;
  return major > first.major || (major === first.major && minor >= first.minor);
}

/**
 * Lays agents out on threads. `auto` picks by the cores there are: with few, a wake-up between threads costs more than the
 * batch it announces, so all agents share one thread; with four and more, network and ring share one and delivery has its own.
 * More than one delivery worker is chosen by `auto` only where Node balances connections between them.
 */
export function planThreads(
  wanted: ResolvedThreadingMode | 'auto',
  deliveryWorkers: number | 'auto',
  machine: MachineFacts,
): ThreadingPlan {
  const mode = wanted === 'auto' ? (machine.cores >= CORES_FOR_SHARED_NETWORK ? 'shared-network' : 'shared') : wanted;
  const workers = deliveryWorkers === 'auto' ? autoWorkers(mode, machine) : deliveryWorkers;
  const delivery = Array.from({ length: workers }, (_, worker) => worker);
  const deliveryThreads = delivery.map((worker) => ({ name: `delivery-${worker}`, roles: [worker], blocking: false }));
  switch (mode) {
    case 'dedicated':
      return {
        mode,
        deliveryWorkers: workers,
        threads: [
          { name: 'network', roles: ['network'], blocking: false },
          { name: 'ring', roles: ['ring'], blocking: true },
          ...deliveryThreads,
        ],
      };
    case 'shared-network':
      return {
        mode,
        deliveryWorkers: workers,
        threads: [{ name: 'network-ring', roles: ['ring', 'network'], blocking: false }, ...deliveryThreads],
      };
    case 'shared':
    case 'inline':
      return {
        mode,
        deliveryWorkers: workers,
        threads: [{ name: 'shared', roles: ['ring', 'network', ...delivery], blocking: false }],
      };
  }
}

function autoWorkers(mode: ResolvedThreadingMode, machine: MachineFacts): number {
  if (mode === 'shared' || mode === 'inline' || !hasReusePort(machine.nodeVersion)) return 1;
  return Math.max(1, Math.floor(machine.cores / 2) - 1);
}
