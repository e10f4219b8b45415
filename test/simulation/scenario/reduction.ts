/** Makes a failing schedule small: takes away faults, clients and nodes as long as the run still fails the same way. */
import type { Fault, Scenario } from './scenario.ts';

/** What is left of a scenario, by index; small enough to be typed on a command line. */
export interface Reduction {
  readonly faults: readonly number[];
  readonly clients: readonly number[];
  readonly nodeCount: number;
}

export const wholeOf = (scenario: Scenario): Reduction => ({
  faults: scenario.faults.map((_, i) => i),
  clients: scenario.clients.map((_, i) => i),
  nodeCount: scenario.nodeCount,
});

const nodesNamed = (fault: Fault): number[] => {
  const named: (number | string | null)[] = [];
  if ('node' in fault) named.push(fault.node);
  if ('from' in fault) named.push(fault.from);
  if ('to' in fault) named.push(fault.to);
  if (fault.trigger.kind === 'packet') named.push(fault.trigger.from);
  if (fault.trigger.kind === 'state') named.push(fault.trigger.node);
  return named.filter((node): node is number => typeof node === 'number');
};

export function reduce(scenario: Scenario, left: Reduction): Scenario {
  const exists = (node: number): boolean => node < left.nodeCount;
  return {
    ...scenario,
    nodeCount: left.nodeCount,
    segmentOf: scenario.segmentOf.slice(0, left.nodeCount),
    startMs: scenario.startMs.slice(0, left.nodeCount),
    clockRate: scenario.clockRate.slice(0, left.nodeCount),
    configurations: scenario.configurations.map((machines) => machines.filter(exists)),
    faults: left.faults.map((i) => scenario.faults[i]!).filter((fault) => nodesNamed(fault).every(exists)),
    clients: left.clients.map((i) => scenario.clients[i]!).filter((client) => exists(client.node)),
  };
}

const without = (items: readonly number[], from: number, count: number): number[] => [
  ...items.slice(0, from),
  ...items.slice(from + count),
];

/** Tries to leave out `half` the items, then a quarter, and so on down to single ones. */
function shrinkList(items: readonly number[], fails: (candidate: readonly number[]) => boolean): readonly number[] {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < kept.length; ) {
      const candidate = without(kept, at, size);
      if (fails(candidate)) kept = candidate;
      else at += size;
    }
  return kept;
}

/**
 * @param fails runs a scenario and says whether it fails as the whole one did
 * @param maxRuns after so many runs the smallest so far is taken
 */
export function shrink(scenario: Scenario, fails: (candidate: Scenario) => boolean, maxRuns = 400): Reduction {
  let left = wholeOf(scenario);
  let runs = 0;
  const attempt = (change: Partial<Reduction>): boolean => {
    if (runs++ >= maxRuns) return false;
    const candidate = { ...left, ...change };
    if (!fails(reduce(scenario, candidate))) return false;
    left = candidate;
    return true;
  };
  const size = (): number => left.faults.length + left.clients.length + left.nodeCount;
  for (let before = -1; before !== size() && runs < maxRuns; ) {
    before = size();
    shrinkList(left.faults, (faults) => attempt({ faults }));
    while (left.nodeCount > 1 && attempt({ nodeCount: left.nodeCount - 1 }));
    shrinkList(left.clients, (clients) => attempt({ clients }));
  }
  return left;
}
