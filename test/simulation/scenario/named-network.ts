/** Scenarios 1 to 7, 14, 17 to 19, 35 and 36 of ring-protocol.md 8.5: what a network does to packets. */
import type { Violation } from '../checker/check.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { PacketType } from '../network/wire-view.ts';
import type { RunResult } from '../simulation.ts';
import type { NamedScenario } from './named.ts';
import { client, plainScenario, randomWindows } from './profile.ts';
import type { Fault, Scenario, Trigger } from './scenario.ts';

export const at = (atMs: number): Trigger => ({ kind: 'time', atMs });

const NO_IMPAIRMENT = {
  kind: 'impair',
  from: null,
  to: null,
  only: null,
  loss: 0,
  duplicate: 0,
  duplicateLateMs: 0,
  reorder: 0,
  reorderMs: 0,
  extraDelayMs: 0,
} as const;

export const impair = (
  atMs: number,
  forMs: number,
  what: Partial<Omit<Extract<Fault, { kind: 'impair' }>, 'kind' | 'trigger' | 'forMs'>>,
): Fault => ({ ...NO_IMPAIRMENT, ...what, trigger: at(atMs), forMs });

/** Loss of `only` in `bursts` pieces of time over the run. */
function lossOf(name: string, loss: number, only: readonly (PacketType | null)[]): (seed: number) => Scenario {
  return (seed) => {
    const random = randomFor(seed, name);
    const faults: Fault[] = [];
    for (const type of only) faults.push(impair(60, 900, { only: type, loss }));
    if (random.chance(0.5))
      for (let i = 0; i < 4; i++)
        faults.push(impair(random.real(60, 900), random.logarithmic(10, 300), { loss: Math.min(0.9, 2 * loss) }));
    return plainScenario(name, seed, random.integer(2, 7), {
      faults,
      faultsEndMs: 1000,
      windows: randomWindows(random),
    });
  };
}

function tokenLostAtHop(seed: number): Scenario {
  const random = randomFor(seed, 'token-lost-at-hop-k');
  const type = random.pick<PacketType>(['token', 'token-recover', 'token-install']);
  const nodeCount = random.integer(2, 7);
  const trigger: Trigger = {
    kind: 'packet',
    notBeforeMs: 150,
    type,
    from: random.chance(0.5) ? null : random.integer(0, nodeCount - 1),
    occurrence: random.integer(1, 2 * nodeCount),
    moment: 'before',
  };
  const faults: Fault[] = [{ kind: 'drop', trigger, only: type, from: null, count: random.chance(0.5) ? 1 : 60 }];
  if (type !== 'token') faults.push(disturbance(random, nodeCount, 200));
  return plainScenario('token-lost-at-hop-k', seed, nodeCount, { faults, faultsEndMs: 900 });
}

/** Something that makes the ring form anew. */
export function disturbance(random: Random, nodeCount: number, atMs: number): Fault {
  const node = random.integer(0, nodeCount - 1);
  const kind = random.integer(0, 2);
  if (kind === 0)
    return { kind: 'crash', trigger: at(atMs), node, restartAfterMs: random.real(1, 300), wallStepSeconds: 0 };
  if (kind === 1) return { kind: 'pause', trigger: at(atMs), node, forMs: random.real(150, 500) };
  const component = Array.from({ length: nodeCount }, (_, i) => (i === node ? 1 : random.integer(0, 1)));
  return { kind: 'partition', trigger: at(atMs), forMs: random.real(150, 400), component };
}

function commitLostAtHop(seed: number): Scenario {
  const random = randomFor(seed, 'commit-lost-at-hop-k');
  const nodeCount = random.integer(2, 7);
  const trigger: Trigger = {
    kind: 'packet',
    notBeforeMs: 150,
    type: 'commit',
    from: null,
    occurrence: random.integer(1, 2 * nodeCount),
    moment: 'before',
  };
  const faults: Fault[] = [
    disturbance(random, nodeCount, 160),
    { kind: 'drop', trigger, only: 'commit', from: null, count: random.pick([1, 2, 40]) },
  ];
  if (random.chance(0.5)) faults.push(impair(160, 500, { only: 'join', duplicate: 0.5, duplicateLateMs: 200 }));
  return plainScenario('commit-lost-at-hop-k', seed, nodeCount, { faults, faultsEndMs: 900 });
}

function partitionAtSafe(seed: number): Scenario {
  const random = randomFor(seed, 'partition-at-safe');
  const nodeCount = random.integer(2, 6);
  const component = Array.from({ length: nodeCount }, () => random.integer(0, 1));
  const trigger: Trigger = {
    kind: 'packet',
    notBeforeMs: 120,
    type: random.chance(0.5) ? 'data' : 'token',
    from: null,
    occurrence: random.integer(1, 40),
    moment: random.pick(['before', 'during', 'after'] as const),
  };
  return plainScenario('partition-at-safe', seed, nodeCount, {
    faults: [{ kind: 'partition', trigger, forMs: random.real(200, 500), component }],
    clients: Array.from({ length: nodeCount }, (_, i) =>
      client(i, `c${i}`, { services: ['safe', 'safe', 'agreed'], intervalMs: 6 }),
    ),
    faultsEndMs: 900,
  });
}

function flap(seed: number): Scenario {
  const random = randomFor(seed, 'flap');
  const nodeCount = random.integer(2, 5);
  const component = Array.from({ length: nodeCount }, (_, i) => (i === nodeCount - 1 ? 1 : 0));
  const faults: Fault[] = [];
  for (let ms = 100; ms < 2000; ms += random.real(20, 250))
    faults.push({ kind: 'partition', trigger: at(ms), forMs: random.real(10, 200), component });
  return plainScenario('flap', seed, nodeCount, { faults, faultsEndMs: 2000 });
}

function oneWay(seed: number): Scenario {
  const random = randomFor(seed, 'one-way');
  const nodeCount = random.integer(2, 6);
  const [from, to] = random.sample(
    Array.from({ length: nodeCount }, (_, i) => i),
    2,
  );
  const only = random.pick<PacketType | null>([null, 'data', 'token', 'join', 'commit', 'probe']);
  return plainScenario('one-way', seed, nodeCount, {
    faults: [{ kind: 'cut', trigger: at(random.real(5, 300)), forMs: 700, from: from!, to: to!, only }],
    faultsEndMs: 1100,
  });
}

function nonTransitive(seed: number): Scenario {
  const random = randomFor(seed, 'non-transitive');
  const nodeCount = random.integer(3, 6);
  const faults: Fault[] = [];
  for (let i = random.integer(1, nodeCount - 1); i > 0; i--) {
    const [a, b] = random.sample(
      Array.from({ length: nodeCount }, (_, k) => k),
      2,
    );
    const forMs = random.real(300, 700);
    for (const [from, to] of [
      [a!, b!],
      [b!, a!],
    ] as const)
      faults.push({ kind: 'cut', trigger: at(random.real(100, 300)), forMs, from, to, only: null });
  }
  return plainScenario('non-transitive', seed, nodeCount, { faults, faultsEndMs: 1100 });
}

const garbage =
  (name: string, mode: 'random' | 'recorded' | 'foreign' | 'sealed') =>
  (seed: number): Scenario => {
    const random = randomFor(seed, name);
    const faults: Fault[] = [
      { kind: 'garbage', trigger: at(random.real(1, 150)), forMs: 700, everyMs: random.logarithmic(0.2, 4), mode },
    ];
    if (random.chance(0.5)) faults.push(disturbance(random, 4, random.real(200, 500)));
    return plainScenario(name, seed, 4, { faults, faultsEndMs: 900 });
  };

/** Enough load that the accelerated window is used, on a network that loses nothing. */
function calm(seed: number): Scenario {
  const nodeCount = 2 + (seed % 7);
  return plainScenario('calm', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) =>
      client(i, `c${i}`, { intervalMs: 6, maxBytes: 900, burst: 4 }),
    ),
    faultsEndMs: 1000,
  });
}

/** Ring set-up takes its time; from then on nothing may happen that a loss would be the reason for. */
function calmOnly(_: Scenario, { trace, traffic }: RunResult): Violation[] {
  const examples: string[] = [];
  let settledMs = 0;
  for (const process of trace.processes) {
    const changes = process.events.filter((event) => event.kind === 'configuration');
    settledMs = Math.max(settledMs, changes.at(-1)?.atMs ?? 0);
    if (changes.length > MAX_CALM_CHANGES) examples.push(`node ${process.node} got ${changes.length} configurations`);
  }
  const again = traffic.againAtMs.filter((ms) => ms > settledMs + 5).length;
  if (again > 0) examples.push(`${again} packets were sent again though none was lost`);
  if (traffic.dataAtMs.length < trace.nodeCount * 20)
    examples.push(`only ${traffic.dataAtMs.length} packets were sent`);
  return examples.length === 0
    ? []
    : [{ property: 'calm', title: 'nothing happens without a reason', examples, count: examples.length }];
}

const MAX_CALM_CHANGES = 7;

const everywhere = (what: Parameters<typeof impair>[2]) => (random: Random) => [
  impair(random.real(20, 100), 900, what),
];

const impaired =
  (name: string, faultsFor: (random: Random, nodeCount: number) => Fault[]) =>
  (seed: number): Scenario => {
    const random = randomFor(seed, name);
    const nodeCount = random.integer(2, 7);
    const faults = faultsFor(random, nodeCount);
    if (random.chance(0.4)) faults.push(disturbance(random, nodeCount, random.real(200, 600)));
    return plainScenario(name, seed, nodeCount, { faults, windows: randomWindows(random), faultsEndMs: 1000 });
  };

const RATES = [1, 10, 30, 50] as const;

export const networkScenarios: readonly NamedScenario[] = [
  {
    number: 1,
    name: 'calm',
    make: calm,
    extra: calmOnly,
  },
  ...RATES.flatMap((percent): NamedScenario[] => [
    { number: 2, name: `loss-${percent}`, make: lossOf(`loss-${percent}`, percent / 100, ['data', 'token']) },
    { number: 2, name: `loss-${percent}-data`, make: lossOf(`loss-${percent}-data`, percent / 100, ['data']) },
    { number: 2, name: `loss-${percent}-token`, make: lossOf(`loss-${percent}-token`, percent / 100, ['token']) },
  ]),
  {
    number: 3,
    name: 'dup',
    make: impaired('dup', everywhere({ duplicate: 0.6, duplicateLateMs: 900 })),
  },
  {
    number: 4,
    name: 'reorder',
    make: impaired('reorder', (random) => [
      impair(60, 900, { reorder: random.real(0.1, 0.9), reorderMs: random.logarithmic(0.2, 20) }),
      impair(60, 900, { only: 'data', extraDelayMs: random.chance(0.5) ? random.real(0, 8) : 0 }),
    ]),
  },
  {
    number: 5,
    name: 'delay-spike',
    make: impaired('delay-spike', (random, nodeCount) => [
      impair(random.real(100, 500), random.real(20, 200), {
        from: random.integer(0, nodeCount - 1),
        extraDelayMs: random.logarithmic(20, 400),
      }),
    ]),
  },
  { number: 6, name: 'token-lost-at-hop-k', make: tokenLostAtHop },
  { number: 7, name: 'commit-lost-at-hop-k', make: commitLostAtHop },
  { number: 14, name: 'partition-at-safe', make: partitionAtSafe },
  { number: 17, name: 'flap', make: flap },
  { number: 18, name: 'one-way', make: oneWay },
  { number: 19, name: 'non-transitive', make: nonTransitive },
  { number: 35, name: 'other-cluster', make: garbage('other-cluster', 'foreign') },
  { number: 35, name: 'replayed', make: garbage('replayed', 'recorded') },
  { number: 36, name: 'fuzz', make: garbage('fuzz', 'random') },
  {
    number: 36,
    name: 'fuzz-sealed',
    make: garbage('fuzz-sealed', 'sealed'),
    // Well-sealed lies can break any promise; they must not stop a daemon or fill its memory.
    properties: ['EVS-22', 'EVS-23'],
  },
];
