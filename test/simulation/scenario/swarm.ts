/**
 * Swarm testing (ring-protocol.md, 8.5, scenario 40): every seed draws a topology, a workload, a subset of the kinds of faults,
 * and a schedule of those kinds. That some kinds are off in a run is what lets the others go far.
 */
import { type Random, randomFor } from '../core/random.ts';
import type { PacketType } from '../network/wire-view.ts';
import { deliveryPlan } from './delivery-plan.ts';
import { ALL_SERVICES, FAST_TIMEOUTS, plainScenario, randomClients, randomNetwork, randomWindows } from './profile.ts';
import type {
  ClientPlan,
  DeliveryPlan,
  Fault,
  FaultKind,
  NodeChoice,
  ReplayMode,
  Scenario,
  Trigger,
} from './scenario.ts';

/**
 * Two machines with one id have views of one id as well: what clients of both see has to be looked at with that in mind. A new
 * configuration has to be there from the start of the run. The seal and orderly stops are draws of their own.
 */
type SwarmKind = Exclude<FaultKind, 'duplicate' | 'reconfigure' | 'replay' | 'rotate' | 'stop'>;

const KINDS: readonly SwarmKind[] = [
  'crash',
  'leave',
  'pause',
  'slow',
  'full-log',
  'clock',
  'partition',
  'cut',
  'drop',
  'impair',
  'forge',
  'garbage',
];

const CONTROL: readonly PacketType[] = [
  'token',
  'token-recover',
  'token-install',
  'join',
  'commit',
  'probe',
  'probe-ack',
  'merge',
  'size-probe',
  'size-ack',
  'size-ready',
  'size-withdrawn',
];

/** Real encryption takes its time, so not all seeds have it. */
const SEALED_SHARE = 0.15;
const STOPS_SHARE = 0.15;
const REPLAY_MODES: readonly ReplayMode[] = ['earlier-incarnation', 'this-incarnation', 'reflected', 'to-sender'];

/** A network that passes long datagrams at all has room for a few of them at once. */
const MANY_LONG_BYTES = 100_000;

export interface SwarmLimits {
  readonly minNodes: number;
  readonly maxNodes: number;
  /** Of any scenario: traffic is sealed. */
  readonly sealed?: boolean;
}

export function swarmScenario(seed: number, limits: SwarmLimits = { minNodes: 2, maxNodes: 20 }): Scenario {
  const random = randomFor(seed, 'scenario');
  const most = random.chance(0.85) ? Math.min(limits.maxNodes, Math.max(limits.minNodes, 6)) : limits.maxNodes;
  const nodeCount = random.integer(limits.minNodes, most);
  const faultsEndMs = random.real(400, 1500);
  const kinds = random.sample(KINDS, random.integer(1, 5));
  const count = random.integer(1, 10);
  const segments = random.chance(0.3) ? random.integer(1, 3) : 1;
  const faults: Fault[] = [];
  for (let i = 0; i < count; i++) faults.push(randomFault(random, random.pick(kinds), nodeCount, faultsEndMs));
  const network = randomNetwork(random, nodeCount);
  const roomBytes = Math.min(network.queueBytes, network.socketBytes);
  const nodes = Array.from({ length: nodeCount }, (_, i) => i);
  const late = random.chance(0.3);
  const scenario = plainScenario('swarm', seed, nodeCount, {
    segmentOf: nodes.map((i) => Math.floor((i * segments) / nodeCount)),
    windows: randomWindows(random),
    datagramBytes: random.pick([600, 1400, 1400, 4000]),
    network,
    longDatagramBytes: roomBytes >= MANY_LONG_BYTES ? random.pick([0, 4000, 16_000]) : 0,
    timeouts: FAST_TIMEOUTS,
    startMs: nodes.map(() => random.real(0, late ? 250 : 5)),
    clockRate: nodes.map(() => (random.chance(0.3) ? random.real(0.97, 1.03) : 1)),
    clients: breathless(seed, randomClients(random, nodeCount)),
    faultsEndMs,
    workAfterMs: random.real(20, 200),
    ...seal(seed, [...faults, ...stops(seed, nodeCount, faultsEndMs)], faultsEndMs),
  });
  return { ...scenario, delivery: randomDelivery(random, scenario) };
}

/** Small logs, late workers and small limits of slow clients, each in a part of the runs. */
function randomDelivery(random: Random, scenario: Scenario): DeliveryPlan {
  const strict = random.chance(0.3);
  return deliveryPlan(scenario, {
    termBufferCount: random.integer(2, 6),
    spansPerTerm: random.real(1, 3),
    roomPart: random.chance(0.5) ? 1 : random.real(0.02, 1),
    lagMs: random.chance(0.5) ? 0 : random.logarithmic(0.02, 5),
    socketBytes: random.integer(0, 8_000),
    maxSessionMessages: strict ? random.integer(20, 200) : 1_000,
    maxSessionBytes: strict ? random.integer(20_000, 100_000) : 1_000_000,
    maxQueues: strict ? 2 : 1_000,
  });
}

/** In a part of the runs clients join, send, leave and come back in one breath: nothing of it may overtake the rest. */
function breathless(seed: number, clients: readonly ClientPlan[]): readonly ClientPlan[] {
  const random = randomFor(seed, 'breath');
  if (!random.chance(0.3)) return clients;
  return clients.map((plan) =>
    random.chance(0.7) ? { ...plan, services: ALL_SERVICES, breath: random.real(0.05, 0.6) } : plan,
  );
}

/** From a stream of its own, so that the rest of a seed is what it was before there were seals. */
function seal(seed: number, faults: readonly Fault[], faultsEndMs: number): Pick<Scenario, 'sealed' | 'faults'> {
  const random = randomFor(seed, 'seal');
  if (!random.chance(SEALED_SHARE)) return { faults };
  const more: Fault[] = [];
  const trigger = (): Trigger => ({ kind: 'time', atMs: random.real(10, faultsEndMs) });
  if (random.chance(0.6))
    more.push({
      kind: 'replay',
      trigger: trigger(),
      forMs: faultsEndMs,
      everyMs: random.logarithmic(0.5, 10),
      modes: random.sample(REPLAY_MODES, random.integer(1, REPLAY_MODES.length)),
    });
  if (random.chance(0.4)) more.push({ kind: 'rotate', trigger: trigger(), stepMs: random.real(5, 200) });
  return { sealed: true, faults: [...faults, ...more] };
}

/** Daemons that stop in order, some of them at the same time; also from a stream of its own. */
function stops(seed: number, nodeCount: number, faultsEndMs: number): readonly Fault[] {
  const random = randomFor(seed, 'stops');
  if (!random.chance(STOPS_SHARE)) return [];
  const atMs = random.real(30, faultsEndMs);
  const nodes = Array.from({ length: nodeCount }, (_, i) => i);
  return random.sample(nodes, random.integer(1, nodeCount)).map((node) => ({
    kind: 'stop',
    trigger: { kind: 'time', atMs: atMs + random.logarithmic(0.01, 40) },
    node,
    drainMs: random.logarithmic(5, 500),
    clientsGoOn: random.chance(0.5),
    restartAfterMs: random.chance(0.2) ? null : random.logarithmic(0.5, 300),
  }));
}

function randomTrigger(random: Random, nodeCount: number, endMs: number): Trigger {
  const aim = random.unit();
  const notBeforeMs = random.real(0, endMs * 0.9);
  if (aim < 0.5) return { kind: 'time', atMs: random.real(30, endMs) };
  if (aim < 0.75)
    return {
      kind: 'packet',
      notBeforeMs,
      type: random.chance(0.3) ? 'data' : random.pick(CONTROL),
      from: random.chance(0.5) ? null : random.integer(0, nodeCount - 1),
      occurrence: random.integer(1, random.chance(0.5) ? 3 : 20),
      moment: random.pick(['before', 'during', 'after'] as const),
    };
  return {
    kind: 'state',
    notBeforeMs,
    node: random.chance(0.5) ? null : random.integer(0, nodeCount - 1),
    state: random.pick(['gather', 'commit', 'recover', 'operational'] as const),
    occurrence: random.integer(1, 4),
    delayMs: random.chance(0.5) ? 0 : random.logarithmic(0.05, 60),
  };
}

const randomChoice = (random: Random, nodeCount: number, trigger: Trigger): NodeChoice =>
  trigger.kind !== 'time' && random.chance(0.6) ? 'trigger' : random.integer(0, nodeCount - 1);

const nodeOrNull = (random: Random, nodeCount: number): number | null =>
  random.chance(0.5) ? null : random.integer(0, nodeCount - 1);

/** Component numbers with two to four components, all of one size on average or one node against the rest. */
export function randomComponents(random: Random, nodeCount: number): number[] {
  const parts = random.chance(0.7) ? 2 : random.integer(3, 4);
  if (random.chance(0.25)) {
    const alone = random.integer(0, nodeCount - 1);
    return Array.from({ length: nodeCount }, (_, i) => (i === alone ? 1 : 0));
  }
  if (random.chance(0.1)) return Array.from({ length: nodeCount }, (_, i) => i);
  return Array.from({ length: nodeCount }, () => random.integer(0, parts - 1));
}

function randomFault(random: Random, kind: SwarmKind, nodeCount: number, endMs: number): Fault {
  const trigger = randomTrigger(random, nodeCount, endMs);
  const node = randomChoice(random, nodeCount, trigger);
  const forMs = random.logarithmic(2, 700);
  const restartAfterMs = random.chance(0.2) ? null : random.logarithmic(0.5, 500);
  switch (kind) {
    case 'crash': {
      const wallStepSeconds = random.chance(0.2) ? random.pick([-86_400, -1, 3_600]) : 0;
      return { kind, trigger, node, restartAfterMs, wallStepSeconds };
    }
    case 'leave':
      return { kind, trigger, node, restartAfterMs };
    case 'pause':
      return { kind, trigger, node, forMs };
    case 'slow':
      return { kind, trigger, node, forMs, perPacketMs: random.logarithmic(0.05, 3) };
    case 'full-log':
      return { kind, trigger, node, forMs };
    case 'clock':
      return { kind, trigger, node, wallStepSeconds: random.pick([-86_400, -60, 60, 86_400]) };
    case 'partition':
      return { kind, trigger, forMs, component: randomComponents(random, nodeCount) };
    case 'cut': {
      const [from, to] = random.sample(
        Array.from({ length: nodeCount }, (_, i) => i),
        2,
      );
      const only = random.chance(0.6) ? null : random.pick<PacketType>(['data', ...CONTROL]);
      return { kind, trigger, forMs, from: from!, to: to!, only };
    }
    case 'drop':
      return {
        kind,
        trigger,
        count: random.integer(1, random.chance(0.7) ? 3 : 12),
        only: random.chance(0.3) ? 'data' : random.pick(CONTROL),
        from: nodeOrNull(random, nodeCount),
      };
    case 'impair':
      return randomImpairment(random, nodeCount, trigger, forMs);
    case 'forge':
      return { kind, trigger, node, forMs, everyMs: random.logarithmic(0.5, 20) };
    case 'garbage':
      return {
        kind,
        trigger,
        forMs,
        everyMs: random.logarithmic(0.5, 20),
        mode: random.pick(['random', 'recorded', 'recorded', 'foreign'] as const),
      };
  }
}

function randomImpairment(random: Random, nodeCount: number, trigger: Trigger, forMs: number): Fault {
  const some = (probability: number, value: () => number): number => (random.chance(probability) ? value() : 0);
  return {
    kind: 'impair',
    trigger,
    forMs,
    from: nodeOrNull(random, nodeCount),
    to: nodeOrNull(random, nodeCount),
    only: random.chance(0.6) ? null : random.pick<PacketType>(['data', 'data', ...CONTROL]),
    aboveBytes: random.chance(0.3) ? random.pick([700, 1400]) : 0,
    loss: some(0.6, () => random.logarithmic(0.01, 0.6)),
    duplicate: some(0.4, () => random.real(0.05, 0.6)),
    duplicateLateMs: random.logarithmic(0.1, random.chance(0.3) ? 600 : 10),
    reorder: some(0.4, () => random.real(0.05, 0.6)),
    reorderMs: random.logarithmic(0.1, 30),
    extraDelayMs: some(0.2, () => random.logarithmic(1, 200)),
  };
}
