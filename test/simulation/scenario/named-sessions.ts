/**
 * Beyond the list of the specification: clients that join, send with every service, leave, send, come back and hang up without waiting for
 * an answer (EVS-24, GRP-9, GRP-10).
 */
import { type Random, randomFor } from '../core/random.ts';
import type { NamedScenario } from './named.ts';
import { at, impair } from './named-network.ts';
import { ALL_SERVICES, client, plainScenario, randomWindows } from './profile.ts';
import type { ClientPlan, Fault, Scenario } from './scenario.ts';
import { randomComponents } from './swarm.ts';

const MIN_NODES = 2;
const MAX_NODES = 5;
/** Faults strike between these. */
const FIRST_MS = 60;
const LAST_MS = 900;

/** Two on each daemon, some of which send one service only; now and then a message that has to be cut. */
function breathlessClients(random: Random, nodeCount: number): ClientPlan[] {
  return Array.from({ length: 2 * nodeCount }, (_, i) =>
    client(i % nodeCount, `c${i}`, {
      services: random.chance(0.5) ? ALL_SERVICES : [random.pick(ALL_SERVICES)],
      groups: ['red', 'green', 'blue'].slice(0, random.integer(1, 3)),
      maxBytes: random.pick([50, 200, 200, 4000]),
      burst: random.integer(1, 4),
      breath: random.real(0.3, 1),
      reconnect: random.real(0, 0.05),
    }),
  );
}

const scenario =
  (name: string, faultsOf: (random: Random, nodeCount: number) => Fault[]) =>
  (seed: number): Scenario => {
    const random = randomFor(seed, name);
    const nodeCount = random.integer(MIN_NODES, MAX_NODES);
    return plainScenario(name, seed, nodeCount, {
      clients: breathlessClients(random, nodeCount),
      windows: randomWindows(random),
      faults: faultsOf(random, nodeCount),
      faultsEndMs: 1000,
    });
  };

/** Packets are lost, doubled and late all the time. */
const lossy = (random: Random): Fault[] => [
  impair(FIRST_MS, LAST_MS, {
    only: random.chance(0.7) ? 'data' : null,
    loss: random.real(0.02, 0.3),
    duplicate: random.real(0, 0.3),
    duplicateLateMs: random.logarithmic(0.5, 100),
    reorder: random.real(0, 0.4),
    reorderMs: random.logarithmic(0.2, 5),
  }),
];

/** Clients come back under their name as soon as it is free, and what they send then waits for nobody else. */
function nameReused(seed: number): Scenario {
  const random = randomFor(seed, 'name-reused');
  const nodeCount = random.integer(2, 3);
  return plainScenario('name-reused', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) =>
      client(i, `c${i}`, {
        services: ['reliable', 'unreliable'],
        groups: ['red'],
        maxBytes: 50,
        intervalMs: 0.6,
        churn: 0.3,
        reconnect: 0.15,
        burst: 1,
      }),
    ),
    faults: [impair(FIRST_MS, LAST_MS, { only: 'data', loss: random.real(0.2, 0.5) })],
    faultsEndMs: 350,
    workAfterMs: 20,
  });
}

/** Rings break and come together while clients go on; in half of the runs packets are lost as well. */
function torn(random: Random, nodeCount: number): Fault[] {
  const faults: Fault[] = random.chance(0.5) ? lossy(random) : [];
  for (let i = random.integer(1, 4); i > 0; i--) {
    const trigger = at(random.real(FIRST_MS, LAST_MS));
    const node = random.integer(0, nodeCount - 1);
    const forMs = random.logarithmic(20, 400);
    faults.push(
      random.pick<Fault>([
        { kind: 'partition', trigger, forMs, component: randomComponents(random, nodeCount) },
        { kind: 'pause', trigger, node, forMs },
        { kind: 'full-log', trigger, node, forMs },
        { kind: 'crash', trigger, node, restartAfterMs: random.logarithmic(1, 300), wallStepSeconds: 0 },
        { kind: 'leave', trigger, node, restartAfterMs: random.logarithmic(1, 300) },
      ]),
    );
  }
  return faults;
}

export const sessionScenarios: readonly NamedScenario[] = [
  { number: 44, name: 'in-one-breath', make: scenario('in-one-breath', () => []) },
  { number: 44, name: 'in-one-breath-lossy', make: scenario('in-one-breath-lossy', lossy) },
  { number: 44, name: 'in-one-breath-torn', make: scenario('in-one-breath-torn', torn) },
  { number: 44, name: 'name-reused', make: nameReused },
];
