/**
 * Scenario 41: the same schedule through the central-order reference. Both keep the same rules, so in the end they must agree on
 * what the rules fix: who is together, and that everything sent there since came to everybody.
 */
import type { Violation } from '../checker/check.ts';
import { referenceSimulation } from '../engines.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Trace } from '../trace/trace.ts';

interface Outcome {
  /** Nodes of the last configuration, by node. */
  readonly together: ReadonlyMap<number, string>;
  /** Per node, messages delivered in the last configuration that were also sent in it. */
  readonly complete: ReadonlyMap<number, boolean>;
}

function outcomeOf(trace: Trace): Outcome {
  const together = new Map<number, string>();
  const sent = new Set<number>();
  const delivered = new Map<number, Set<number>>();
  for (const p of trace.live) {
    const process = trace.processes[p]!;
    const start = process.events.findLastIndex((event) => event.kind === 'configuration' && event.regular);
    const configuration = process.events[start];
    if (configuration?.kind !== 'configuration') continue;
    together.set(
      process.node,
      configuration.members
        .map((m) => m.node)
        .sort((a, b) => a - b)
        .join(),
    );
    const here = new Set<number>();
    for (const event of process.events.slice(start)) {
      if (event.kind === 'send' && event.service !== 'unreliable') sent.add(event.message);
      if (event.kind === 'deliver') here.add(event.message);
    }
    delivered.set(process.node, here);
  }
  const complete = new Map<number, boolean>();
  for (const [node, here] of delivered)
    complete.set(
      node,
      [...sent].every((message) => here.has(message)),
    );
  return { together, complete };
}

export function modelDifferences(scenario: Scenario, trace: Trace): Violation[] {
  const expected = outcomeOf(referenceSimulation(scenario).run().trace);
  const actual = outcomeOf(trace);
  const examples: string[] = [];
  for (const [node, members] of expected.together)
    if (actual.together.get(node) !== members)
      examples.push(`node ${node} ends with {${actual.together.get(node)}}, in the reference with {${members}}`);
  for (const [node, all] of expected.complete)
    if (actual.complete.get(node) !== all) examples.push(`node ${node} lacks messages of its last configuration`);
  if (examples.length === 0) return [];
  return [{ property: 'model-diff', title: 'agreement with the reference model', examples, count: examples.length }];
}
