/** The pieces scenarios are made of: timeouts, windows, networks and clients, with what a small LAN would have as the default. */
import type { RingTimeouts, RingWindows } from '../../../engine/host/ring-options.ts';
import type { Random } from '../core/random.ts';
import type { Service } from '../trace/trace.ts';
import type { ClientPlan, NetworkPlan, Scenario } from './scenario.ts';

/** The LAN profile of ring-protocol.md 3.4, all timeouts cut to about a fifth so that a run takes less virtual time. */
export const FAST_TIMEOUTS: RingTimeouts = {
  tokenLossMs: 120,
  tokenResendMs: 5,
  joinEveryMs: 8,
  gatherMinMs: 16,
  gatherMaxMs: 70,
  commitMs: 70,
  commitResendMs: 5,
  probeEveryMs: 60,
  probeIdleMs: 240,
  mergeNotBeforeMs: 60,
  idleHoldMaxMs: 20,
};

/** Every timeout stretched by one factor. */
export const stretched = (timeouts: RingTimeouts, factor: number): RingTimeouts =>
  Object.fromEntries(Object.entries(timeouts).map(([name, ms]) => [name, ms * factor])) as unknown as RingTimeouts;

export const LAN: NetworkPlan = {
  delayMs: 0.1,
  jitterMs: 0.1,
  segmentDelayMs: 0,
  bytesPerMs: 100_000,
  queueBytes: 1_000_000,
  mtuBytes: 65_000,
  socketBytes: 1_000_000,
};

const DEFAULT_WINDOWS: RingWindows = {
  window: 60,
  personalWindow: 15,
  acceleratedWindow: 10,
  acceleratedRing: true,
};

export const ALL_SERVICES: readonly Service[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];

export const client = (node: number, name: string, plan: Partial<ClientPlan> = {}): ClientPlan => ({
  node,
  name,
  wantsViews: true,
  intervalMs: 12,
  services: ALL_SERVICES,
  minBytes: 0,
  maxBytes: 200,
  groups: ['red', 'green', 'blue'],
  churn: 0.08,
  reconnect: 0.01,
  burst: 2,
  stalls: 0,
  ...plan,
});

export const largestDatagramBytes = ({
  datagramBytes,
  datagramBytesOf,
  longDatagramBytes,
}: Pick<Scenario, 'datagramBytes' | 'datagramBytesOf' | 'longDatagramBytes'>): number =>
  Math.max(datagramBytes, longDatagramBytes ?? 0, ...(datagramBytesOf ?? []));

/** A scenario with one client on each node and no faults, to be changed where wanted. */
export function plainScenario(name: string, seed: number, nodeCount: number, change: Partial<Scenario> = {}): Scenario {
  const nodes = Array.from({ length: nodeCount }, (_, i) => i);
  return {
    name,
    seed,
    nodeCount,
    segmentOf: nodes.map(() => 0),
    timeouts: FAST_TIMEOUTS,
    windows: DEFAULT_WINDOWS,
    datagramBytes: 1400,
    network: LAN,
    startMs: nodes.map((i) => i * 0.7),
    clockRate: nodes.map(() => 1),
    clients: nodes.map((i) => client(i, `c${i}`)),
    faults: [],
    faultsEndMs: 800,
    workAfterMs: 100,
    configurations: [nodes],
    firstNumbers: { sequence: 0, hop: 0 },
    keepsState: true,
    groups: true,
    ...change,
  };
}

export function randomWindows(random: Random): RingWindows {
  // Small ones: their limits are met more often, and a node costs less memory.
  const personalWindow = random.integer(1, 12);
  return {
    window: personalWindow * random.integer(1, 5),
    personalWindow,
    acceleratedWindow: random.integer(0, personalWindow),
    acceleratedRing: random.chance(0.7),
  };
}

export function randomNetwork(random: Random, nodeCount: number): NetworkPlan {
  // A rotation has to fit into the token loss timeout many times over.
  const hopMs = Math.min(1.5, 20 / nodeCount);
  return {
    delayMs: random.logarithmic(0.02, hopMs),
    jitterMs: random.logarithmic(0.01, hopMs / 2),
    segmentDelayMs: random.chance(0.5) ? 0 : random.real(0, hopMs),
    bytesPerMs: random.logarithmic(20_000, 1_000_000),
    queueBytes: random.chance(0.2) ? random.integer(20_000, 100_000) : 4_000_000,
    mtuBytes: 65_000,
    socketBytes: random.chance(0.2) ? random.integer(30_000, 200_000) : 4_000_000,
  };
}

export function randomClients(random: Random, nodeCount: number): ClientPlan[] {
  const clients: ClientPlan[] = [];
  const groups = ['red', 'green', 'blue', 'white', 'black'].slice(0, random.integer(1, 5));
  const services = random.sample(ALL_SERVICES, random.integer(1, ALL_SERVICES.length));
  const intervalMs = random.logarithmic(3, 60) * Math.max(1, nodeCount / 4);
  const large = random.chance(0.15);
  const churn = random.chance(0.5) ? random.real(0, 0.5) : 0.05;
  const reconnect = random.chance(0.5) ? random.real(0, 0.1) : 0;
  const stalls = random.chance(0.4) ? random.real(0.01, 0.2) : 0;
  for (let node = 0; node < nodeCount; node++)
    for (let k = random.integer(nodeCount > 6 ? 0 : 1, nodeCount > 6 ? 1 : 2); k > 0; k--)
      clients.push(
        client(node, `c${clients.length}`, {
          wantsViews: random.chance(0.85),
          intervalMs: intervalMs * random.real(0.5, 2),
          services,
          maxBytes: large && random.chance(0.4) ? random.integer(2_000, 20_000) : random.integer(0, 500),
          groups,
          churn,
          reconnect,
          burst: random.integer(1, 5),
          stalls: random.chance(0.5) ? stalls : 0,
        }),
      );
  return clients;
}
