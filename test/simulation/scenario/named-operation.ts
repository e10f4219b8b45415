/** Scenarios 38 and 39 of ring-protocol.md 8.5: what operators do to a cluster, and get wrong. */
import { RingCounter } from '../../../engine/host/ring-counters.ts';
import type { RingTimeouts } from '../../../engine/host/ring-options.ts';
import type { Violation } from '../checker/check.ts';
import { processName } from '../checker/model.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { ConfigurationEvent, ProcessTrace } from '../trace/trace.ts';
import type { NamedScenario } from './named.ts';
import { at, disturbance } from './named-network.ts';
import { client, FAST_TIMEOUTS, plainScenario } from './profile.ts';
import type { Fault, Scenario } from './scenario.ts';

/** From the start of the second machine: what else is done to the cluster is over. */
const OTHER_FAULTS_MS = 500;
/** From the start of the second machine: what it and the other faults caused is over. The earlier machine may be let in for a penalty of three probes. */
const settledMs = ({ probeIdleMs }: RingTimeouts): number => 2480 + 3 * probeIdleMs;
/** Five times rarer than usual, as far apart as on a real LAN: longer than the ring waits for a machine that vanished. */
const RARE_PROBES_MS = 5 * FAST_TIMEOUTS.probeIdleMs;

function twoSameIds(seed: number): Scenario {
  const random = randomFor(seed, 'two-same-ids');
  const nodeCount = random.integer(2, 5);
  const node = random.integer(0, nodeCount - 1);
  const startMs = random.chance(0.2) ? 0.1 : random.real(100, 400);
  const timeouts = { ...FAST_TIMEOUTS, probeIdleMs: random.pick([FAST_TIMEOUTS.probeIdleMs, RARE_PROBES_MS]) };
  // So long that a lone machine's probes have become rare: it must not be taken for gone between two of them.
  const forMs = settledMs(timeouts) + random.real(2800, 5300);
  const faults: Fault[] = [
    {
      kind: 'duplicate',
      trigger: at(startMs),
      node,
      forMs,
      incarnationStep: random.chance(0.7) ? 500 : -500,
      hears: random.pick(['both', 'original', 'copy'] as const),
      survivor: random.pick(['original', 'copy'] as const),
    },
  ];
  if (random.chance(0.4)) faults.push(disturbance(random, nodeCount, startMs + random.real(1, OTHER_FAULTS_MS)));
  // The wire format names a view by its leader's address, which both machines have. Where both may lead, nobody is connected to them.
  const mayLead = node === 0 || faults.some(({ kind }) => kind === 'partition');
  const nodes = Array.from({ length: nodeCount }, (_, i) => i).filter((i) => i !== node || !mayLead);
  return plainScenario('two-same-ids', seed, nodeCount, {
    timeouts,
    faults,
    clients: nodes.map((i) => client(i, `c${i}`, { intervalMs: 40 })),
    faultsEndMs: startMs + forMs,
  });
}

/** The others go on together, undisturbed, and everybody knows of the conflict. */
function othersUndisturbed(scenario: Scenario, { trace, counters }: RunResult): Violation[] {
  const duplicate = scenario.faults.find((fault) => fault.kind === 'duplicate');
  if (duplicate?.trigger.kind !== 'time') return [];
  const fromMs = duplicate.trigger.atMs;
  const untilMs = fromMs + duplicate.forMs;
  const others = trace.processes.filter(
    (process) => process.node !== duplicate.node && (process.end === 'running' || process.endedAtMs > untilMs),
  );
  const examples: string[] = [];
  for (const process of others) {
    const regular = process.events.filter(
      (event): event is ConfigurationEvent => event.kind === 'configuration' && event.regular,
    );
    const changes = regular.filter(({ atMs }) => atMs > fromMs + settledMs(scenario.timeouts) && atMs < untilMs);
    if (changes.length > 0) examples.push(`${processName(process)} changed its ring ${changes.length} times, for ever`);
    const last = regular.findLast(({ atMs }) => atMs < untilMs);
    const lost = others.filter((other) => !last?.members.some((member) => isRun(member, other)));
    if (lost.length > 0) examples.push(`${processName(process)} is without ${lost.map(processName).join(', ')}`);
    if (counters[process.process]![RingCounter.IdentityConflicts] === 0)
      examples.push(`${processName(process)} did not notice that there are two`);
  }
  return examples.length === 0
    ? []
    : [
        {
          property: 'two-same-ids',
          title: 'one of two wins, for the rest all is well',
          examples,
          count: examples.length,
        },
      ];
}

const isRun = (member: { node: number; incarnation: number }, run: ProcessTrace): boolean =>
  member.node === run.node && member.incarnation === run.incarnation;

/** The next configuration: machines are added and taken away, anywhere in the order, so that node indexes move. */
function changed(random: Random, machines: readonly number[], total: number): number[] {
  const next = new Set(machines);
  for (let i = random.integer(1, 2); i > 0; i--) {
    const outside = Array.from({ length: total }, (_, k) => k).filter((machine) => !next.has(machine));
    if (outside.length > 0 && (next.size < 3 || random.chance(0.5))) next.add(random.pick(outside));
    else next.delete(random.pick([...next]));
  }
  return [...next].sort((a, b) => a - b);
}

/** A rolling restart: one machine after the other, two at once, or in any order while the network is cut. */
function rolling(random: Random, nodeCount: number, startMs: number, forMs: number): Fault {
  const order = random.sample(
    Array.from({ length: nodeCount }, (_, i) => i),
    nodeCount,
  );
  const gapMs = forMs / nodeCount;
  let afterMs = 0;
  const steps = order.map((node) => {
    const step = {
      node,
      afterMs,
      downMs: random.logarithmic(0.5, 60),
      end: random.pick(['leave', 'leave', 'crash'] as const),
    };
    // Now and then two go at one moment.
    if (random.chance(0.75)) afterMs += random.real(0, 2 * gapMs);
    return step;
  });
  return {
    kind: 'reconfigure',
    trigger: at(startMs),
    steps: steps.map((step) => ({ ...step, afterMs: Math.min(step.afterMs, forMs) })),
  };
}

/**
 * Daemons read their configuration when they start, and one with another configuration is of another cluster: a cluster is
 * reconfigured by restarting its daemons, of which the old and the new ones never meet.
 */
function reconfigure(seed: number): Scenario {
  const random = randomFor(seed, 'reconfigure');
  const nodeCount = random.integer(3, 7);
  const all = Array.from({ length: nodeCount }, (_, i) => i);
  const first = all.filter((machine) => machine < 2 || random.chance(0.7));
  const configurations = [first];
  const faults: Fault[] = [];
  let startMs = random.real(150, 300);
  for (let rounds = random.chance(0.3) ? 2 : 1; rounds > 0; rounds--) {
    configurations.push(changed(random, configurations.at(-1)!, nodeCount));
    const forMs = random.logarithmic(20, 800);
    faults.push(rolling(random, nodeCount, startMs, forMs));
    if (random.chance(0.5)) faults.push(disturbance(random, nodeCount, startMs + random.real(0, forMs)));
    // The second change may begin before the first is through everywhere.
    startMs += random.real(0.5 * forMs, forMs + 300);
  }
  return plainScenario('reconfigure', seed, nodeCount, {
    configurations,
    faults,
    clients: all.map((i) => client(i, `c${i}`, { intervalMs: 5 })),
    faultsEndMs: startMs + 1300,
  });
}

/** No ring has daemons of two configurations, and in the end all have the last one. */
function neverMixed(scenario: Scenario, { trace, configurationOf }: RunResult): Violation[] {
  const examples: string[] = [];
  for (const process of trace.processes)
    for (const event of process.events) {
      if (event.kind !== 'configuration') continue;
      const strangers = trace.processes.filter(
        (other) =>
          configurationOf[other.process] !== configurationOf[process.process] &&
          event.members.some((member) => isRun(member, other)),
      );
      if (strangers.length > 0)
        examples.push(`${processName(process)} is in ${event.id} with ${strangers.map(processName).join(', ')}`);
    }
  const last = scenario.configurations.length - 1;
  const live = trace.live.map((process) => trace.processes[process]!);
  for (const process of live)
    if (configurationOf[process.process] !== last) examples.push(`${processName(process)} kept an old configuration`);
  const machines = live.map(({ node }) => node).sort((a, b) => a - b);
  if (machines.join() !== scenario.configurations[last]!.join())
    examples.push(
      `machines ${machines.join(', ')} run, the configuration has ${scenario.configurations[last]!.join(', ')}`,
    );
  return examples.length === 0
    ? []
    : [{ property: 'reconfigure', title: 'configurations never mix', examples, count: examples.length }];
}

export const operationScenarios: readonly NamedScenario[] = [
  { number: 38, name: 'reconfigure', make: reconfigure, extra: neverMixed },
  { number: 39, name: 'two-same-ids', make: twoSameIds, extra: othersUndisturbed },
];
