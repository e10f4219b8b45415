/** Beyond the list of ring-protocol.md 8.5: a member of the cluster that puts forged records into the order. */
import type { Violation } from '../checker/check.ts';
import { randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { NamedScenario } from './named.ts';
import { at } from './named-network.ts';
import { client, plainScenario } from './profile.ts';
import type { Fault, Scenario } from './scenario.ts';
import { randomComponents } from './swarm.ts';

function forgedRecords(seed: number): Scenario {
  const random = randomFor(seed, 'forged-records');
  const nodeCount = random.integer(2, 5);
  const faults: Fault[] = [];
  for (let i = random.integer(1, 2); i > 0; i--)
    faults.push({
      kind: 'forge',
      trigger: at(random.real(100, 300)),
      node: random.integer(0, nodeCount - 1),
      forMs: random.real(300, 700),
      everyMs: random.logarithmic(0.5, 5),
    });
  // What was forged must not come back with a state exchange either; and tables are forged in these exchanges.
  for (let i = random.integer(0, 3); i > 0; i--)
    faults.push({
      kind: 'partition',
      trigger: at(random.real(150, 650)),
      forMs: random.real(50, 300),
      component: randomComponents(random, nodeCount),
    });
  return plainScenario('forged-records', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 8, churn: 0.2 })),
    faults,
    faultsEndMs: 1_000,
  });
}

/** One daemon forges its tables, and hardly a record, in merge after merge of sets that it leads, belongs to or is alone in. */
function forgedTables(seed: number): Scenario {
  const random = randomFor(seed, 'forged-tables');
  const nodeCount = random.integer(3, 5);
  const faults: Fault[] = [
    { kind: 'forge', trigger: at(100), node: random.integer(0, nodeCount - 1), forMs: 2_000, everyMs: 10_000 },
  ];
  for (const startMs of [120, 620, 1_120, 1_620])
    faults.push({
      kind: 'partition',
      trigger: at(startMs),
      forMs: random.real(200, 280),
      component: randomComponents(random, nodeCount),
    });
  // An honest daemon can be late with its table.
  const slow = random.integer(0, nodeCount - 1);
  faults.push({ kind: 'slow', trigger: at(100), node: slow, forMs: 2_000, perPacketMs: random.logarithmic(0.1, 1) });
  const base = plainScenario('forged-tables', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 8, churn: 0.1 })),
    faults,
    faultsEndMs: 2_100,
  });
  if (random.chance(0.3)) return base;
  // A table of one part and one packet a visit: the longer table of an honest daemon comes behind that of a hasty one.
  return {
    ...base,
    datagramBytes: 600,
    groupsBodyBytes: 120,
    windows: { window: nodeCount, personalWindow: 1, acceleratedWindow: 0, acceleratedRing: false },
  };
}

/** Honest daemons saw what was forged, and nothing came of it: that is for the properties to say. */
function wereRefused(_: Scenario, { delivery }: RunResult): Violation[] {
  if (delivery.some(({ refused }) => refused > 0)) return [];
  return [
    { property: 'forged-records', title: 'forged records are refused', examples: ['no daemon refused any'], count: 1 },
  ];
}

export const recordScenarios: readonly NamedScenario[] = [
  { number: 46, name: 'forged-records', make: forgedRecords, extra: wereRefused },
  { number: 47, name: 'forged-tables', make: forgedTables },
];
