/** Scenarios 26 to 41 of ring-protocol.md 8.5 that a simulated cluster can show: kinds of load, groups, leaving. */
import { PROPERTIES, type Violation } from '../checker/check.ts';
import { randomFor } from '../core/random.ts';
import { modelDifferences } from '../reference/model-difference.ts';
import type { RunResult } from '../simulation.ts';
import type { ProcessEvent } from '../trace/trace.ts';
import type { NamedScenario } from './named.ts';
import { at, disturbance, impair } from './named-network.ts';
import { client, plainScenario, randomWindows } from './profile.ts';
import type { ClientPlan, Fault, Scenario } from './scenario.ts';
import { randomComponents, swarmScenario } from './swarm.ts';

const DATAGRAM_BYTES = 1400;
/** Room for records in a packet of that size, about; the cases around it are what matters. */
const PAYLOAD_BYTES = DATAGRAM_BYTES - 48 - 4;

function maxHoles(seed: number): Scenario {
  const random = randomFor(seed, 'max-holes');
  const nodeCount = random.integer(2, 5);
  const base = plainScenario('max-holes', seed, nodeCount, {
    faults: [impair(80, 500, { only: 'data', loss: 0.5 }), disturbance(random, nodeCount, random.real(150, 400))],
    clients: Array.from({ length: nodeCount }, (_, i) =>
      client(i, `c${i}`, { intervalMs: 1.5, burst: 8, minBytes: 600, maxBytes: 1200 }),
    ),
    windows: { window: 200, personalWindow: 50, acceleratedWindow: 50, acceleratedRing: true },
    faultsEndMs: 700,
    workAfterMs: 0,
  });
  return base;
}

function fragments(seed: number): Scenario {
  const random = randomFor(seed, 'fragments');
  const nodeCount = random.integer(2, 5);
  const sizes = [0, 1, PAYLOAD_BYTES - 120, PAYLOAD_BYTES - 72, PAYLOAD_BYTES, PAYLOAD_BYTES + 1, 40_000, 120_000];
  const clients = sizes.map((bytes, i) =>
    client(i % nodeCount, `c${i}`, {
      minBytes: bytes,
      maxBytes: bytes,
      intervalMs: bytes > 10_000 ? 80 : 15,
      burst: 1,
    }),
  );
  const faults: Fault[] = [disturbance(random, nodeCount, random.real(150, 500))];
  if (random.chance(0.5))
    faults.push({
      kind: 'crash',
      trigger: {
        kind: 'packet',
        notBeforeMs: 150,
        type: 'data',
        from: null,
        occurrence: random.integer(1, 200),
        moment: 'after',
      },
      node: 'trigger',
      restartAfterMs: 50,
      wallStepSeconds: 0,
    });
  return plainScenario('fragments', seed, nodeCount, {
    clients,
    faults,
    datagramBytes: DATAGRAM_BYTES,
    faultsEndMs: 800,
  });
}

function packing(seed: number): Scenario {
  const random = randomFor(seed, 'packing');
  const nodeCount = random.integer(2, 4);
  const clients: ClientPlan[] = [];
  for (let i = 0; i < 3 * nodeCount; i++)
    clients.push(client(i % nodeCount, `c${i}`, { minBytes: 1, maxBytes: 1, burst: 12, intervalMs: 6, churn: 0.02 }));
  return plainScenario('packing', seed, nodeCount, {
    clients,
    faults: random.chance(0.5) ? [disturbance(random, nodeCount, 250)] : [],
    faultsEndMs: 500,
  });
}

function groupsChurn(seed: number): Scenario {
  const random = randomFor(seed, 'groups-churn');
  const nodeCount = random.integer(2, 5);
  const clients: ClientPlan[] = [];
  for (let i = 0; i < 4 * nodeCount; i++)
    clients.push(client(i % nodeCount, `c${i}`, { intervalMs: 8, churn: 0.7, reconnect: 0.15, maxBytes: 20 }));
  const faults: Fault[] = [];
  for (let ms = 150; ms < 900; ms += random.real(80, 300)) faults.push(disturbance(random, nodeCount, ms));
  return plainScenario('groups-churn', seed, nodeCount, { clients, faults, faultsEndMs: 1100 });
}

/** Cuts while GROUPS records are on their way: data is the first thing a new ring carries. */
function groupsExchangeCut(seed: number): Scenario {
  const random = randomFor(seed, 'groups-exchange-cut');
  const nodeCount = random.integer(3, 6);
  const groups = Array.from({ length: 12 }, (_, i) => `group${i}`);
  const clients: ClientPlan[] = [];
  for (let i = 0; i < 3 * nodeCount; i++)
    clients.push(client(i % nodeCount, `c${i}`, { intervalMs: 8, churn: 0.5, groups, maxBytes: 20 }));
  const faults: Fault[] = [
    { kind: 'partition', trigger: at(200), forMs: 250, component: randomComponents(random, nodeCount) },
  ];
  for (let i = random.integer(1, 5); i > 0; i--) {
    const trigger = {
      kind: 'packet',
      notBeforeMs: 445,
      type: 'token-install',
      from: null,
      occurrence: random.integer(1, 4 * nodeCount),
      moment: 'after',
    } as const;
    const later = {
      kind: 'state',
      notBeforeMs: 445,
      node: null,
      state: 'operational',
      occurrence: random.integer(1, (i + 1) * nodeCount),
      delayMs: random.logarithmic(0.1, 25),
    } as const;
    const cut: Fault = {
      kind: 'partition',
      trigger: random.chance(0.3) ? trigger : later,
      forMs: random.logarithmic(20, 300),
      component: randomComponents(random, nodeCount),
    };
    faults.push(
      random.chance(0.8)
        ? cut
        : { kind: 'crash', trigger: later, node: 'trigger', restartAfterMs: 60, wallStepSeconds: 0 },
    );
  }
  const base = plainScenario('groups-exchange-cut', seed, nodeCount, { clients, faults, faultsEndMs: 1500 });
  if (random.chance(0.3)) return base;
  // One small packet a visit: a table takes several rotations, and can be cut in its middle.
  return {
    ...base,
    datagramBytes: 600,
    windows: { window: nodeCount, personalWindow: 1, acceleratedWindow: 0, acceleratedRing: false },
    network: { ...base.network, delayMs: 0.4 },
  };
}

function reliableEarly(seed: number): Scenario {
  const random = randomFor(seed, 'reliable-early');
  const nodeCount = random.integer(3, 6);
  const faults: Fault[] = [impair(60, 900, { only: 'data', loss: 0.1, reorder: 0.3, reorderMs: 3 })];
  for (let i = 0; i < 3; i++)
    faults.push({
      kind: 'partition',
      trigger: at(random.real(100, 800)),
      forMs: random.real(30, 250),
      component: randomComponents(random, nodeCount),
    });
  return plainScenario('reliable-early', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) =>
      client(i, `c${i}`, { services: ['reliable', 'unreliable', 'agreed'], intervalMs: 4 }),
    ),
    faults,
    faultsEndMs: 1100,
  });
}

/** Where numbers of a ring pass a border of their fields, and the slots of the store begin anew. */
const BORDERS = [2 ** 16, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 47] as const;

function wrap(seed: number): Scenario {
  const random = randomFor(seed, 'wrap');
  const nodeCount = random.integer(2, 6);
  // So near that traffic passes it, in the first ring or in one after a fault: every ring begins there.
  const near = (): number => random.pick(BORDERS) - random.integer(1, 300);
  const faults: Fault[] = [];
  for (let i = random.integer(0, 3); i > 0; i--) faults.push(disturbance(random, nodeCount, random.real(120, 600)));
  if (random.chance(0.6)) faults.push(impair(60, 700, { only: random.pick([null, 'data'] as const), loss: 0.2 }));
  if (random.chance(0.4))
    faults.push(impair(60, 700, { duplicate: 0.3, duplicateLateMs: 40, reorder: 0.3, reorderMs: 4 }));
  return plainScenario('wrap', seed, nodeCount, {
    firstNumbers: { sequence: near(), hop: near() },
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 4, maxBytes: 900 })),
    windows: randomWindows(random),
    faults,
    faultsEndMs: 900,
  });
}

/** A run that stays on one side shows nothing. */
function bordersPassed(scenario: Scenario, { traffic }: RunResult): Violation[] {
  const { sequence, hop } = scenario.firstNumbers;
  const isPast = (first: number, highest: number): boolean =>
    BORDERS.some((border) => first < border && highest >= border);
  if (isPast(sequence, traffic.highestSequence) || isPast(hop, traffic.highestHop)) return [];
  const examples = [`from ${sequence} and ${hop} to ${traffic.highestSequence} and ${traffic.highestHop}`];
  return [{ property: 'wrap', title: 'the numbers pass a border', examples, count: 1 }];
}

/** Above these a ring is replaced: engine/ring/ordering.ts. */
const LAST_NUMBER = 2 ** 48 - 1 - 2 ** 24;

/** Every ring runs out of packets or of hops, and is replaced by one that does so too. */
function wrapEnd(seed: number): Scenario {
  const random = randomFor(seed, 'wrap-end');
  const nodeCount = random.integer(2, 5);
  const endsByHops = random.chance(0.5);
  const near = (): number => LAST_NUMBER - random.integer(30, 120);
  return plainScenario('wrap-end', seed, nodeCount, {
    firstNumbers: { sequence: endsByHops ? 0 : near(), hop: endsByHops ? near() : 0 },
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 3 })),
    faults: random.chance(0.5) ? [disturbance(random, nodeCount, random.real(150, 500))] : [],
    faultsEndMs: 1000,
    workAfterMs: 0,
  });
}

function ringsReplaced(_: Scenario, { trace, traffic }: RunResult): Violation[] {
  const examples: string[] = [];
  const most = Math.max(...trace.processes.map(({ events }) => events.filter(isRegular).length));
  if (most < 4) examples.push(`no daemon was in more than ${most} rings`);
  if (traffic.highestSequence > LAST_NUMBER + MOST_TOO_HIGH || traffic.highestHop > LAST_NUMBER + MOST_TOO_HIGH)
    examples.push(`numbers went on to ${traffic.highestSequence} and ${traffic.highestHop}`);
  return examples.length === 0
    ? []
    : [{ property: 'wrap-end', title: 'a ring ends before its numbers do', examples, count: examples.length }];
}

const isRegular = (event: ProcessEvent): boolean => event.kind === 'configuration' && event.regular;
/** Packets and hops between the limit and the end of the ring: what one rotation sends. */
const MOST_TOO_HIGH = 200;

function idleWake(seed: number): Scenario {
  const random = randomFor(seed, 'idle-wake');
  const nodeCount = random.integer(2, 6);
  return plainScenario('idle-wake', seed, nodeCount, {
    clients: [client(random.integer(0, nodeCount - 1), 'c0', { intervalMs: 250, burst: 1 })],
    faults: [impair(100, 1800, { only: 'hurry', loss: 0.8 })],
    faultsEndMs: 2000,
  });
}

function leave(seed: number): Scenario {
  const random = randomFor(seed, 'leave');
  const nodeCount = random.integer(2, 6);
  const faults: Fault[] = [];
  for (let i = random.integer(1, 3); i > 0; i--)
    faults.push({
      kind: 'leave',
      trigger: at(random.real(120, 700)),
      node: random.integer(0, nodeCount - 1),
      restartAfterMs: random.chance(0.5) ? null : random.real(5, 200),
    });
  return plainScenario('leave', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 3 })),
    faults,
    faultsEndMs: 900,
  });
}

export const loadScenarios: readonly NamedScenario[] = [
  { number: 26, name: 'max-holes', make: maxHoles },
  { number: 27, name: 'fragments', make: fragments },
  { number: 28, name: 'packing', make: packing },
  { number: 29, name: 'wrap', make: wrap, extra: bordersPassed },
  {
    number: 29,
    name: 'wrap-end',
    make: wrapEnd,
    // All but EVS-7: what separates these rings is that they are used up.
    properties: PROPERTIES.map(({ name }) => name).filter((name) => name !== 'EVS-7'),
    extra: ringsReplaced,
  },
  { number: 30, name: 'groups-churn', make: groupsChurn },
  { number: 31, name: 'groups-exchange-cut', make: groupsExchangeCut },
  { number: 33, name: 'reliable-early', make: reliableEarly },
  { number: 34, name: 'idle-wake', make: idleWake },
  { number: 37, name: 'leave', make: leave },
  {
    number: 40,
    name: 'soak',
    make: (seed) => {
      const short = swarmScenario(seed, { minNodes: 2, maxNodes: 5 });
      const random = randomFor(seed, 'soak');
      const longer = 8;
      const faults = short.faults.flatMap((fault) =>
        Array.from({ length: longer }, (): Fault => {
          const laterMs = random.real(0, longer * short.faultsEndMs);
          const { trigger } = fault;
          return {
            ...fault,
            trigger: trigger.kind === 'time' ? at(laterMs) : { ...trigger, notBeforeMs: laterMs },
          };
        }),
      );
      return { ...short, name: 'soak', faults, faultsEndMs: longer * short.faultsEndMs };
    },
  },
  {
    number: 41,
    name: 'model-diff',
    make: (seed) => ({ ...swarmScenario(seed, { minNodes: 2, maxNodes: 6 }), name: 'model-diff' }),
    extra: (scenario, result) => modelDifferences(scenario, result.trace),
  },
];
