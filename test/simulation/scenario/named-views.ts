/** Beyond the list of the specification: groups so large that a view of them is longer than a term of the log, or than all of it. */
import type { Violation } from '../checker/check.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import { DEFAULT_DELIVERY, deliveryPlan } from './delivery-plan.ts';
import type { NamedScenario } from './named.ts';
import { at } from './named-network.ts';
import { ALL_SERVICES, client, plainScenario, randomWindows } from './profile.ts';
import type { ClientPlan, Fault, Scenario } from './scenario.ts';
import { randomComponents } from './swarm.ts';

const GROUP = 'all';
const NAME_BYTES = 32;

/** Many who only are in the group, and some who watch it, talk, come and go, and at times do not read. */
function crowd(random: Random, nodeCount: number): ClientPlan[] {
  const clients: ClientPlan[] = [];
  for (let i = 0; i < 60 * nodeCount; i++) {
    const talks = i < 3 * nodeCount;
    clients.push(
      client(i % nodeCount, `c${i}`, {
        groups: [GROUP],
        wantsViews: talks,
        services: ALL_SERVICES,
        intervalMs: talks ? 15 : 400,
        maxBytes: 100,
        burst: talks ? 2 : 1,
        churn: talks ? 0.1 : 0,
        reconnect: talks ? 0.02 : 0,
        stalls: talks && random.chance(0.5) ? 0.05 : 0,
      }),
    );
  }
  return clients;
}

function largeViews(seed: number): Scenario {
  const random = randomFor(seed, 'large-views');
  const nodeCount = random.integer(2, 3);
  const faults: Fault[] = [];
  for (let ms = 250; ms < 900; ms += random.real(150, 400)) {
    const forMs = random.real(60, 200);
    faults.push({ kind: 'partition', trigger: at(ms), forMs, component: randomComponents(random, nodeCount) });
  }
  const scenario = plainScenario('large-views', seed, nodeCount, {
    clients: crowd(random, nodeCount),
    windows: randomWindows(random),
    faults,
    faultsEndMs: 1000,
  });
  const delivery = deliveryPlan(scenario, {
    ...DEFAULT_DELIVERY,
    termBufferCount: random.integer(2, 5),
    spansPerTerm: 1,
    roomPart: random.chance(0.5) ? 1 : random.real(0.1, 1),
    lagMs: random.chance(0.5) ? 0 : random.logarithmic(0.02, 2),
  });
  return { ...scenario, delivery };
}

/** Members of the largest view that was told to anybody. */
function largestView({ trace }: RunResult): number {
  let largest = 0;
  for (const { events } of trace.clients) {
    for (const event of events) if (event.kind === 'view') largest = Math.max(largest, event.members.length);
  }
  return largest;
}

function wereLonger({ delivery }: Scenario, result: RunResult): Violation[] {
  const bytes = largestView(result) * NAME_BYTES;
  const { termBytes } = delivery!.log;
  if (bytes > termBytes) return [];
  const example = `the largest view had ${bytes} bytes of names, a term has ${termBytes}`;
  return [{ property: 'large-views', title: 'a view is longer than a term', examples: [example], count: 1 }];
}

export const viewScenarios: readonly NamedScenario[] = [
  { number: 45, name: 'large-views', make: largeViews, seeds: 20, extra: wereLonger },
];
