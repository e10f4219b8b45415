/**
 * Beyond the list of ring-protocol.md 8.5: sealed traffic, and somebody who records all of it and sends it again. What ended must stay
 * ended: no membership changes because of it, and a daemon that comes back is in the ring as soon as it would be by itself.
 */
import type { Violation } from '../checker/check.ts';
import { processName } from '../checker/model.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { ConfigurationEvent } from '../trace/trace.ts';
import type { NamedScenario } from './named.ts';
import { at, disturbance, impair } from './named-network.ts';
import { client, plainScenario } from './profile.ts';
import type { Fault, ReplayMode, Scenario } from './scenario.ts';

const ALL_MODES: readonly ReplayMode[] = ['earlier-incarnation', 'this-incarnation', 'reflected', 'to-sender'];
/** Between two ends of a daemon: long enough for the ring to be whole again, and for a while of nothing. */
const APART_MS = 900;
/** From a daemon's start until all are in one ring, its old one not missed yet: token loss, gather, commit, and another try. */
const REJOIN_MS = 420;

const attack = (random: Random, forMs: number, modes = ALL_MODES): Fault => ({
  kind: 'replay',
  trigger: at(100),
  forMs,
  everyMs: random.logarithmic(0.3, 5),
  modes,
});

/** Daemons end and come back one after the other, while all that was ever sent is sent again. */
function replayAttack(seed: number): Scenario {
  const random = randomFor(seed, 'replay-attack');
  const nodeCount = random.integer(2, 5);
  const ends = random.integer(1, 3);
  const faultsEndMs = 300 + ends * APART_MS;
  const faults: Fault[] = [attack(random, faultsEndMs)];
  for (let i = 0; i < ends; i++) {
    const node = random.integer(0, nodeCount - 1);
    const restartAfterMs = random.logarithmic(1, 250);
    const trigger = at(300 + i * APART_MS);
    if (random.chance(0.3)) faults.push({ kind: 'leave', trigger, node, restartAfterMs });
    else faults.push({ kind: 'crash', trigger, node, restartAfterMs, wallStepSeconds: random.pick([0, 0, -86_400]) });
  }
  if (random.chance(0.4))
    faults.push({ kind: 'rotate', trigger: at(random.real(110, 600)), stepMs: random.real(20, 300) });
  return sealedScenario('replay-attack', seed, nodeCount, faults, faultsEndMs);
}

/**
 * Keys are removed and daemons are lost under load, and the answers by which runs prove themselves again are late: overtaken by what was
 * sealed after them. Packets are lost, so somebody has some to send that were never opened, besides those that were.
 */
function lateAnswers(seed: number): Scenario {
  const random = randomFor(seed, 'late-answers');
  const nodeCount = random.integer(2, 4);
  const faults: Fault[] = [
    impair(50, 900, { only: 'greeting', reorder: random.real(0.5, 1), reorderMs: random.logarithmic(2, 40) }),
    impair(100, 600, { loss: random.real(0.02, 0.15) }),
    { kind: 'replay', trigger: at(100), forMs: 900, everyMs: random.real(0.2, 0.6), modes: ['this-incarnation'] },
    { kind: 'rotate', trigger: at(random.real(150, 400)), stepMs: random.real(10, 120) },
  ];
  if (random.chance(0.5)) faults.push(apart(random, nodeCount));
  return {
    ...sealedScenario('late-answers', seed, nodeCount, faults, 1000),
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: random.real(2, 6) })),
  };
}

/** Long enough for the ring to give a daemon up, and to hear it again. */
function apart(random: Random, nodeCount: number): Fault {
  const alone = random.integer(0, nodeCount - 1);
  const component = Array.from({ length: nodeCount }, (_, i) => (i === alone ? 1 : 0));
  return { kind: 'partition', trigger: at(random.real(200, 500)), forMs: random.real(200, 350), component };
}

/** Whatever happens to a ring, sealed, with or without somebody who repeats things. */
function sealedTraffic(seed: number): Scenario {
  const random = randomFor(seed, 'sealed');
  const nodeCount = random.integer(2, 6);
  const faults: Fault[] = [];
  for (let i = random.integer(1, 3); i > 0; i--) faults.push(disturbance(random, nodeCount, random.real(50, 700)));
  if (random.chance(0.5)) faults.push(attack(random, 900, random.sample(ALL_MODES, random.integer(1, 4))));
  if (random.chance(0.5))
    faults.push({ kind: 'rotate', trigger: at(random.real(10, 400)), stepMs: random.real(5, 150) });
  return sealedScenario('sealed', seed, nodeCount, faults, 1000);
}

const sealedScenario = (
  name: string,
  seed: number,
  nodeCount: number,
  faults: readonly Fault[],
  faultsEndMs: number,
): Scenario =>
  plainScenario(name, seed, nodeCount, {
    sealed: true,
    faults,
    faultsEndMs,
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 10 })),
  });

const regularOf = (events: RunResult['trace']['processes'][number]['events']): ConfigurationEvent[] =>
  events.filter((event): event is ConfigurationEvent => event.kind === 'configuration' && event.regular);

/** How long each daemon took to be in a ring of all, in order of start; those that never were left out. */
function rejoinTimes({ nodeCount }: Scenario, { trace }: RunResult): number[] {
  return trace.processes.flatMap((process) => {
    const whole = regularOf(process.events).find(({ members }) => members.length === nodeCount);
    return whole === undefined ? [] : [whole.atMs - process.startedAtMs];
  });
}

/** Rings change only because of daemons that end and start, and then soon. */
function undisturbed(scenario: Scenario, result: RunResult): Violation[] {
  const { trace } = result;
  const examples: string[] = [];
  for (const [i, ms] of rejoinTimes(scenario, result).entries())
    if (ms > REJOIN_MS)
      examples.push(`the daemon that started as number ${i} was in the ring of all after ${ms.toFixed(0)} ms`);
  const causesMs = trace.processes.flatMap(({ startedAtMs, endedAtMs, end }) =>
    end === 'running' ? [startedAtMs] : [startedAtMs, endedAtMs],
  );
  for (const process of trace.processes)
    for (const { atMs, id } of regularOf(process.events)) {
      if (causesMs.some((ms) => atMs >= ms && atMs - ms <= REJOIN_MS)) continue;
      examples.push(`${processName(process)} changed to ${id} at ${atMs.toFixed(0)} ms, for nothing`);
    }
  return examples.length === 0
    ? []
    : [{ property: 'replay', title: 'what is sent again changes nothing', examples, count: examples.length }];
}

const figures = (scenario: Scenario, result: RunResult): string =>
  `ring of all after ${rejoinTimes(scenario, result)
    .map((ms) => ms.toFixed(0))
    .join(', ')} ms`;

export const sealScenarios: readonly NamedScenario[] = [
  { number: 46, name: 'sealed', make: sealedTraffic },
  { number: 46, name: 'late-answers', make: lateAnswers },
  {
    number: 46,
    name: 'replay-attack',
    make: replayAttack,
    extra: undisturbed,
    figures,
  },
];
