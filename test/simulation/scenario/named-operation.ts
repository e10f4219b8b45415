/** Scenario 39 of ring-protocol.md 8.5: what operators do to a cluster, and get wrong. */
import { RingCounter } from '../../../engine/ring/counters.ts';
import type { Violation } from '../checker/check.ts';
import { processName } from '../checker/model.ts';
import { randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { ConfigurationEvent, ProcessTrace } from '../trace/trace.ts';
import type { NamedScenario } from './named.ts';
import { at, disturbance } from './named-network.ts';
import { client, plainScenario } from './profile.ts';
import type { Fault, Scenario } from './scenario.ts';

/** From the start of the second machine: what else is done to the cluster is over, and later what that caused. */
const OTHER_FAULTS_MS = 500;
const SETTLED_MS = 3200;

function twoSameIds(seed: number): Scenario {
  const random = randomFor(seed, 'two-same-ids');
  const nodeCount = random.integer(2, 5);
  const node = random.integer(0, nodeCount - 1);
  const startMs = random.chance(0.2) ? 0.1 : random.real(100, 400);
  // So long that a lone machine's probes have become rare: it must not be taken for gone between two of them.
  const forMs = random.real(6000, 8500);
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
    const changes = regular.filter(({ atMs }) => atMs > fromMs + SETTLED_MS && atMs < untilMs);
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

export const operationScenarios: readonly NamedScenario[] = [
  { number: 39, name: 'two-same-ids', make: twoSameIds, extra: othersUndisturbed },
];
