/** Scenario 47, beyond the list of ring-protocol.md 8.5: daemons of one ring that are stopped in order at the same time (3.12). */
import type { Violation } from '../checker/check.ts';
import { randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { ClientTrace, MulticastFact, ProcessTrace } from '../trace/trace.ts';
import { DEFAULT_DELIVERY, deliveryPlan } from './delivery-plan.ts';
import type { NamedScenario } from './named.ts';
import { at, impair } from './named-network.ts';
import { client, LAN, plainScenario, randomWindows } from './profile.ts';
import type { Fault, Scenario } from './scenario.ts';

/** The ring is whole long before; and there is time for all that waits. */
const STOP_MS = 200;
const DRAIN_MS = 2_500;

/**
 * All daemons, or all but one, or two, are told at one moment, with as much under way as their clients can send; some packets are lost,
 * some daemons are slow to look at them.
 */
function stopTogether(seed: number): Scenario {
  const random = randomFor(seed, 'stop-together');
  const nodeCount = random.integer(2, 5);
  const stopping = random.sample(
    Array.from({ length: nodeCount }, (_, i) => i),
    random.pick([nodeCount, nodeCount, Math.max(2, nodeCount - 1), 2]),
  );
  const faults: Fault[] = stopping.map((node) => ({
    kind: 'stop',
    trigger: at(STOP_MS),
    node,
    drainMs: DRAIN_MS,
    clientsGoOn: false,
    restartAfterMs: null,
  }));
  if (random.chance(0.6)) faults.push(impair(STOP_MS, DRAIN_MS, { only: 'data', loss: random.real(0.01, 0.2) }));
  if (random.chance(0.3))
    faults.push({
      kind: 'slow',
      trigger: at(STOP_MS - 10),
      node: random.pick(stopping),
      forMs: 200,
      perPacketMs: random.logarithmic(0.01, 0.2),
    });
  // One has much to say, or each has a little.
  const busy = random.chance(0.5) ? [random.pick(stopping)] : stopping;
  const nodes = Array.from({ length: nodeCount }, (_, i) => i);
  const scenario = plainScenario('stop-together', seed, nodeCount, {
    faults,
    windows: randomWindows(random),
    network: { ...LAN, delayMs: random.logarithmic(0.1, 1.5) },
    clients: nodes.flatMap((node) =>
      ['a', 'b'].map((letter) =>
        client(node, `${letter}${node}`, {
          intervalMs: busy.includes(node) ? 3 : 30,
          burst: busy.includes(node) ? 12 : 2,
          maxBytes: 500,
          churn: 0,
          reconnect: 0,
        }),
      ),
    ),
    faultsEndMs: STOP_MS + DRAIN_MS,
  });
  const lagMs = random.chance(0.5) ? 0 : random.logarithmic(1, 30);
  return { ...scenario, delivery: deliveryPlan(scenario, { ...DEFAULT_DELIVERY, termBufferCount: 8, lagMs }) };
}

const isTold = (scenario: Scenario, { node }: ProcessTrace): boolean =>
  scenario.faults.some((fault) => fault.kind === 'stop' && fault.node === node);

/** Of a ring that stays as it is until the first daemon has stopped. */
function isUndisturbed(processes: readonly ProcessTrace[]): boolean {
  const firstEndMs = Math.min(...processes.map(({ end, endedAtMs }) => (end === 'running' ? Infinity : endedAtMs)));
  return processes.every(({ events }) =>
    events.every(({ kind, atMs }) => kind !== 'configuration' || atMs < STOP_MS || atMs >= firstEndMs),
  );
}

/** Groups that the client was in when daemons were told: from where on in the trace of its process. */
function groupsAtStop({ events, member }: ClientTrace, process: ProcessTrace): Map<string, number> {
  const groups = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'view' || groups.has(event.group) || !event.members.includes(member)) continue;
    const before = process.events[event.position - 1];
    if (before !== undefined && before.atMs < STOP_MS) groups.set(event.group, event.position);
  }
  return groups;
}

/** Messages that had their place in an order before all daemons were in one ring. */
function sentInEarlierRings({ events }: ProcessTrace): number[] {
  const ring = events.findLast((event) => event.kind === 'configuration' && event.regular && event.atMs < STOP_MS);
  if (ring?.kind !== 'configuration') return [];
  return events.flatMap((event) => (event.kind === 'send' && event.configuration !== ring.id ? [event.message] : []));
}

/** By message: its place in the trace of the process. */
const deliveries = ({ events }: ProcessTrace): Map<number, number> =>
  new Map(events.flatMap((event, i) => (event.kind === 'deliver' ? [[event.message, i] as const] : [])));

/** What clients had sent when their daemons were told is with every client at every daemon, those that stop included. */
function nothingIsLost(scenario: Scenario, { trace }: RunResult): Violation[] {
  const { processes, clients, multicasts } = trace;
  if (!isUndisturbed(processes)) return [];
  const examples: string[] = [];
  const placesOf = processes.map(deliveries);
  const earlier = new Set(processes.flatMap(sentInEarlierRings));
  const owed = multicasts.filter(
    ({ client: sender, multicast }) =>
      isTold(scenario, processes[clients[sender]!.process]!) && !earlier.has(multicast),
  );
  for (const receiver of clients) {
    const groups = groupsAtStop(receiver, processes[receiver.process]!);
    const places = placesOf[receiver.process]!;
    const got = new Set(receiver.events.map((event) => (event.kind === 'message' ? event.multicast : 0)));
    const isOwed = ({ groups: targets, selfDiscard, client: sender, multicast }: MulticastFact): boolean =>
      !(selfDiscard && sender === receiver.client) &&
      targets.some((group) => (places.get(multicast) ?? Infinity) >= (groups.get(group) ?? NaN));
    const missing = owed.filter((fact) => isOwed(fact) && !got.has(fact.multicast));
    if (missing.length === 0) continue;
    const from = new Set(missing.map(({ client: sender }) => clients[sender]!.member));
    const { multicast, groups: targets } = missing[0]!;
    const first = `the first is ${multicast} to ${targets.join(',')}`;
    examples.push(`${receiver.member} lacks ${missing.length} messages of ${[...from].join(', ')}; ${first}`);
  }
  for (const { node, end, endedAtMs } of processes)
    if (end === 'stopped' && endedAtMs >= STOP_MS + DRAIN_MS - 1)
      examples.push(`node ${node} was not through with its stop after ${DRAIN_MS} ms`);
  return examples.length === 0
    ? []
    : [{ property: 'stop', title: 'daemons that stop at once lose nothing', examples, count: examples.length }];
}

function figures(scenario: Scenario, { trace }: RunResult): string {
  const took = trace.processes
    .filter((process) => isTold(scenario, process))
    .map(({ endedAtMs }) => (endedAtMs - STOP_MS).toFixed(0));
  return `${trace.multicasts.length} messages, stopped after ${took.join(', ')} ms${isUndisturbed(trace.processes) ? '' : ', the ring broke'}`;
}

export const stopScenarios: readonly NamedScenario[] = [
  { number: 47, name: 'stop-together', make: stopTogether, extra: nothingIsLost, figures },
];
