/** Scenarios 8 to 13, 15, 16 and 20 to 25 of ring-protocol.md 8.5: what happens to daemons, and in the middle of recovery. */
import { RingCounter } from '../../../engine/host/ring-counters.ts';
import type { Violation } from '../checker/check.ts';
import { processName } from '../checker/model.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { PacketType } from '../network/wire-view.ts';
import type { RunResult } from '../simulation.ts';
import type { NamedScenario } from './named.ts';
import { at, disturbance, impair } from './named-network.ts';
import { ALL_SERVICES, client, FAST_TIMEOUTS, plainScenario, randomWindows } from './profile.ts';
import type { ClientPlan, Fault, Scenario, Trigger } from './scenario.ts';
import { randomComponents } from './swarm.ts';

type StateTriggerName = Extract<Trigger, { kind: 'state' }>['state'];

const onPacket = (
  type: PacketType,
  occurrence: number,
  moment: 'before' | 'during' | 'after',
  from: number | null = null,
): Trigger => ({ kind: 'packet', notBeforeMs: 150, type, from, occurrence, moment });

const onState = (
  state: StateTriggerName,
  occurrence: number,
  delayMs: number,
  node: number | null = null,
): Trigger => ({
  kind: 'state',
  notBeforeMs: 150,
  node,
  state,
  occurrence,
  delayMs,
});

const restart = (random: Random): number | null => (random.chance(0.3) ? null : random.logarithmic(1, 300));
const crash = (trigger: Trigger, node: number | 'trigger', restartAfterMs: number | null): Fault => ({
  kind: 'crash',
  trigger,
  node,
  restartAfterMs,
  wallStepSeconds: 0,
});

const busy = (nodeCount: number, change: Partial<ClientPlan> = {}): ClientPlan[] =>
  Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 4, ...change }));

function crashHolder(seed: number): Scenario {
  const random = randomFor(seed, 'crash-holder');
  const nodeCount = random.integer(2, 6);
  const k = random.integer(1, 25);
  const [trigger, long] = random.pick<[Trigger, boolean]>([
    [onPacket('data', k, 'before'), false],
    [onPacket('data', k, 'during'), false],
    [onPacket('data', k, 'after'), false],
    [onPacket('token', k, 'after'), false],
    [onPacket('data', k, 'after'), true],
    [onPacket('token-recover', random.integer(1, 2 * nodeCount), 'after'), false],
    [onPacket('token-install', random.integer(1, nodeCount), 'before'), false],
  ]);
  const faults = [crash(trigger, 'trigger', restart(random))];
  if (trigger.kind === 'packet' && trigger.type.startsWith('token-')) faults.push(disturbance(random, nodeCount, 180));
  return plainScenario('crash-holder', seed, nodeCount, {
    faults,
    clients: busy(nodeCount, long ? { minBytes: 1_000, maxBytes: 15_000 } : {}),
    windows: randomWindows(random),
    faultsEndMs: 900,
  });
}

function crashLeader(seed: number): Scenario {
  const random = randomFor(seed, 'crash-leader');
  const nodeCount = random.integer(3, 7);
  const state = random.pick<StateTriggerName>(['operational', 'gather', 'commit', 'recover']);
  const faults = [
    disturbance(random, nodeCount, 170),
    crash(onState(state, 1, random.real(0, 3), 0), 0, restart(random)),
    crash(
      onState(random.pick<StateTriggerName>(['gather', 'commit', 'recover']), 2, random.real(0, 3), 1),
      1,
      restart(random),
    ),
  ];
  return plainScenario('crash-leader', seed, nodeCount, { faults, clients: busy(nodeCount), faultsEndMs: 1100 });
}

function crashDuringRecovery(seed: number): Scenario {
  const random = randomFor(seed, 'crash-during-recovery');
  const nodeCount = random.integer(3, 7);
  const victims = random.sample(
    Array.from({ length: nodeCount }, (_, i) => i),
    random.chance(0.2) ? nodeCount - 1 : random.integer(1, 2),
  );
  const faults = [disturbance(random, nodeCount, 170)];
  for (const node of victims) {
    const trigger = random.chance(0.5)
      ? onState('recover', 1, random.logarithmic(0.05, 6))
      : onPacket(random.pick<PacketType>(['token-recover', 'token-install', 'commit']), random.integer(1, 12), 'after');
    faults.push(crash(trigger, node, restart(random)));
  }
  return plainScenario('crash-during-recovery', seed, nodeCount, {
    faults,
    clients: busy(nodeCount),
    faultsEndMs: 1100,
  });
}

function restartFast(seed: number, name: string, wallStepSeconds: number): Scenario {
  const random = randomFor(seed, name);
  const nodeCount = random.integer(1, 5);
  const faults: Fault[] = [impair(50, 900, { duplicate: 0.2, duplicateLateMs: 300 })];
  for (let i = random.integer(1, 6); i > 0; i--)
    faults.push({
      kind: 'crash',
      trigger: at(random.real(60, 800)),
      node: random.integer(0, nodeCount - 1),
      restartAfterMs: random.logarithmic(1, 240),
      wallStepSeconds,
    });
  return plainScenario(name, seed, nodeCount, { faults, faultsEndMs: 1000 });
}

/** Clients are told a membership's leader and number, not the leader's run: that has to be enough. */
function membershipIdsDiffer(_: Scenario, { trace }: RunResult): Violation[] {
  const fullIds = new Map<string, string>();
  const examples: string[] = [];
  for (const event of trace.processes.flatMap((process) => process.events)) {
    if (event.kind !== 'configuration') continue;
    const seenByClients = event.id.slice(0, event.id.lastIndexOf('.'));
    const known = fullIds.get(seenByClients) ?? event.id;
    fullIds.set(seenByClients, known);
    if (known !== event.id) examples.push(`${event.id} and ${known} are one to clients`);
  }
  if (examples.length === 0) return [];
  return [{ property: 'restart', title: 'runs share no membership id', examples, count: examples.length }];
}

/** Runs of a daemon draw their numbers. */
function restartVolatile(seed: number): Scenario {
  return { ...restartFast(seed, 'restart-volatile', seed % 2 === 0 ? 0 : -86_400), keepsState: false };
}

/** After that the ring without the run that ended is there, what it left in the network is over, and others look round again. */
const SET_BACK_BOUND_MS = 3000;
const UNTOLD_MS = 700;

/**
 * A daemon that keeps no state is killed, or ends politely, and is started with a lower number than its last incarnation: its clock was set back.
 */
function clockSetBack(seed: number): Scenario {
  const random = randomFor(seed, 'clock-set-back');
  const nodeCount = random.integer(2, 6);
  const node = random.integer(0, nodeCount - 1);
  const crashAtMs = random.real(500, 1000);
  const after = { trigger: at(crashAtMs), node, restartAfterMs: random.logarithmic(1, 800) };
  const wallStepSeconds = -random.logarithmic(1, 40_000_000);
  const faults: Fault[] = random.chance(0.3)
    ? [
        { kind: 'clock', trigger: at(crashAtMs - 1), node, wallStepSeconds },
        { kind: 'leave', ...after, isSetBack: true },
      ]
    : [{ kind: 'crash', ...after, wallStepSeconds, isSetBack: true }];
  return plainScenario('clock-set-back', seed, nodeCount, {
    clients: Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { intervalMs: 100 })),
    faults,
    faultsEndMs: crashAtMs + SET_BACK_BOUND_MS + 2000,
    // Where a lone daemon's probes are rare, waiting for three of them would be far beyond the bound.
    timeouts: { ...FAST_TIMEOUTS, probeIdleMs: random.pick([FAST_TIMEOUTS.probeIdleMs, 2000]) },
    keepsState: false,
  });
}

/** Back among the others soon, and told in both logs until then. */
function isLetIn(scenario: Scenario, { trace, counters }: RunResult): Violation[] {
  const fault = scenario.faults.find(({ kind }) => kind === 'crash' || kind === 'leave');
  if (fault?.trigger.kind !== 'time' || !('node' in fault)) return [];
  const restarted = trace.processes.findLast(({ node }) => node === fault.node);
  if (restarted === undefined || restarted.startedAtMs <= fault.trigger.atMs) return [];
  const examples: string[] = [];
  const whole = restarted.events.find(
    (event) => event.kind === 'configuration' && event.regular && event.members.length === scenario.nodeCount,
  );
  const tookMs = (whole?.atMs ?? Number.POSITIVE_INFINITY) - restarted.startedAtMs;
  if (tookMs > SET_BACK_BOUND_MS) examples.push(`${processName(restarted)} was alone for ${tookMs} ms`);
  const told = counters[restarted.process]![RingCounter.OwnIncarnationRefused]!;
  if (tookMs > UNTOLD_MS && told === 0)
    examples.push(`${processName(restarted)} was not told why it was alone for ${tookMs} ms`);
  if (examples.length === 0) return [];
  return [{ property: 'clock-set-back', title: 'an earlier number is let in soon', examples, count: examples.length }];
}

function partitioned(name: string, component: (random: Random, nodeCount: number) => number[]) {
  return (seed: number): Scenario => {
    const random = randomFor(seed, name);
    const nodeCount = random.integer(3, 9);
    const faults: Fault[] = [];
    for (let ms = random.real(100, 250); ms < 900; ms += random.real(150, 500))
      faults.push({
        kind: 'partition',
        trigger: at(ms),
        forMs: random.real(80, 350),
        component: component(random, nodeCount),
      });
    return plainScenario(name, seed, nodeCount, {
      faults,
      clients: busy(nodeCount, { intervalMs: 2 * nodeCount }),
      windows: randomWindows(random),
      faultsEndMs: 1200,
    });
  };
}

function cascade(seed: number): Scenario {
  const random = randomFor(seed, 'cascade');
  const nodeCount = random.integer(3, 8);
  const faults: Fault[] = [
    {
      kind: 'partition',
      trigger: at(160),
      forMs: random.real(50, 500),
      component: randomComponents(random, nodeCount),
    },
  ];
  for (let level = random.integer(1, 9); level > 0; level--)
    faults.push({
      kind: 'partition',
      trigger: onState(
        random.pick<StateTriggerName>(['gather', 'commit', 'recover', 'operational']),
        random.integer(1, 2 * nodeCount),
        random.chance(0.5) ? 0 : random.logarithmic(0.1, 40),
      ),
      forMs: random.logarithmic(5, 400),
      component: randomComponents(random, nodeCount),
    });
  return plainScenario('cascade', seed, nodeCount, {
    faults,
    clients: busy(nodeCount, { intervalMs: 2 * nodeCount }),
    faultsEndMs: 1500,
  });
}

function merge3way(seed: number): Scenario {
  const random = randomFor(seed, 'merge-3way');
  const nodeCount = random.integer(3, 9);
  const component = Array.from({ length: nodeCount }, (_, i) => i % 3);
  const faults: Fault[] = [{ kind: 'partition', trigger: at(60), forMs: 400, component }];
  if (random.chance(0.6)) faults.push(disturbance(random, nodeCount, random.real(430, 520)));
  return plainScenario('merge-3way', seed, nodeCount, {
    faults,
    startMs: Array.from({ length: nodeCount }, () => (random.chance(0.5) ? 0 : random.real(0, 60))),
    faultsEndMs: 1000,
  });
}

function pauseNode(seed: number): Scenario {
  const random = randomFor(seed, 'pause');
  const nodeCount = random.integer(2, 6);
  const faults: Fault[] = [];
  if (random.chance(0.5)) faults.push(disturbance(random, nodeCount, 170));
  for (let i = random.integer(1, 4); i > 0; i--) {
    const trigger = random.chance(0.5)
      ? at(random.real(100, 700))
      : onState(random.pick<StateTriggerName>(['gather', 'commit', 'recover', 'operational']), random.integer(1, 6), 0);
    faults.push({
      kind: 'pause',
      trigger,
      node: random.chance(0.3) ? 0 : random.integer(0, nodeCount - 1),
      forMs: random.logarithmic(10, 900),
    });
  }
  return plainScenario('pause', seed, nodeCount, { faults, clients: busy(nodeCount), faultsEndMs: 1300 });
}

function slowNode(seed: number): Scenario {
  const random = randomFor(seed, 'slow-node');
  const nodeCount = random.integer(2, 6);
  const node = random.integer(0, nodeCount - 1);
  const base = plainScenario('slow-node', seed, nodeCount, {
    faults: [{ kind: 'slow', trigger: at(100), node, forMs: 600, perPacketMs: random.logarithmic(0.1, 4) }],
    clients: busy(nodeCount),
    faultsEndMs: 900,
  });
  return { ...base, network: { ...base.network, socketBytes: random.integer(8_000, 200_000) } };
}

function slowClient(seed: number): Scenario {
  const random = randomFor(seed, 'slow-client');
  const nodeCount = random.integer(2, 5);
  const faults: Fault[] = [];
  for (let i = random.integer(1, 3); i > 0; i--)
    faults.push({
      kind: 'full-log',
      trigger: at(random.real(80, 500)),
      node: random.integer(0, nodeCount - 1),
      forMs: random.logarithmic(5, 600),
    });
  if (random.chance(0.5)) faults.push(disturbance(random, nodeCount, 300));
  return plainScenario('slow-client', seed, nodeCount, { faults, clients: busy(nodeCount), faultsEndMs: 1000 });
}

function holeThenMore(seed: number): Scenario {
  const random = randomFor(seed, 'hole-then-more');
  const nodeCount = random.integer(3, 6);
  const leaver = random.integer(0, nodeCount - 1);
  const cutMs = random.real(150, 300);
  const faults: Fault[] = [
    impair(cutMs - 25, 25, { from: leaver, only: 'data', loss: random.real(0.3, 0.9) }),
    impair(cutMs - 15, 15, { only: 'data', loss: random.real(0, 0.4) }),
  ];
  const component = Array.from({ length: nodeCount }, (_, i) => (i === leaver ? 1 : 0));
  faults.push({ kind: 'partition', trigger: at(cutMs), forMs: random.real(200, 500), component });
  if (random.chance(0.6))
    faults.push({ ...disturbance(random, nodeCount, 0), trigger: onState('recover', 1, random.real(0, 4)) });
  return plainScenario('hole-then-more', seed, nodeCount, {
    faults,
    clients: busy(nodeCount, { intervalMs: 3, services: ALL_SERVICES }),
    windows: randomWindows(random),
    faultsEndMs: 1000,
  });
}

/**
 * A node's packets reach nobody, then it is cut off: the others recover with a hole and packets of their own behind it. The
 * INSTALL token gets to the first of them only, and the network ends between those and the rest, who have to try again: alone,
 * or with the node that has the missing packets.
 */
function obligation(seed: number): Scenario {
  const random = randomFor(seed, 'obligation');
  const nodeCount = random.integer(3, 6);
  const silent = random.integer(0, nodeCount - 1);
  const cutMs = random.real(180, 300);
  const muteMs = random.real(3, 25);
  const others = Array.from({ length: nodeCount }, (_, i) => i).filter((node) => node !== silent);
  const installed = random.integer(1, others.length - 1);
  const comesBack = random.chance(0.4);
  const component = Array.from({ length: nodeCount }, (_, node) =>
    node === silent ? (comesBack ? 2 : 1) : others.indexOf(node) < installed ? 0 : 2,
  );
  const faults: Fault[] = [
    impair(cutMs - muteMs, muteMs, { from: silent, only: 'data', loss: random.chance(0.7) ? 1 : 0.9 }),
    {
      kind: 'partition',
      trigger: at(cutMs),
      forMs: random.real(230, 300),
      component: component.map((_, node) => (node === silent ? 1 : 0)),
    },
    {
      kind: 'partition',
      trigger: {
        kind: 'packet',
        notBeforeMs: cutMs,
        type: 'token-install',
        from: null,
        occurrence: installed,
        moment: 'before',
      },
      forMs: random.real(250, 450),
      component,
    },
  ];
  if (random.chance(0.3)) faults.push(disturbance(random, nodeCount, cutMs + random.real(150, 300)));
  return plainScenario('obligation', seed, nodeCount, {
    faults,
    clients: busy(nodeCount, { intervalMs: 2 }),
    faultsEndMs: cutMs + 800,
  });
}

/**
 * The last data of a node that crashes is so late that it arrives while COMMIT goes round: after one member wrote down what it
 * has, before another did, or after all had.
 */
function latePacket(seed: number): Scenario {
  const random = randomFor(seed, 'late-packet');
  const nodeCount = random.integer(3, 6);
  const leaver = random.integer(0, nodeCount - 1);
  const crashMs = random.real(200, 300);
  const lastMs = random.real(4, 15);
  const base = plainScenario('late-packet', seed, nodeCount, {
    clients: busy(nodeCount, { intervalMs: 2.5 }),
    faultsEndMs: crashMs + 700,
  });
  const commitMs = base.timeouts.tokenLossMs + base.timeouts.gatherMaxMs;
  const faults: Fault[] = [
    impair(crashMs - lastMs, lastMs, {
      from: leaver,
      only: 'data',
      reorder: 1,
      reorderMs: 40,
      extraDelayMs: commitMs - random.real(5, 25),
    }),
    crash(at(crashMs), leaver, null),
  ];
  if (random.chance(0.3)) {
    const trigger: Trigger = {
      ...onPacket('token-recover', random.integer(1, 4), 'before'),
      notBeforeMs: crashMs,
    } as Trigger;
    faults.push({ kind: 'drop', trigger, only: 'token', from: null, count: 40 });
  }
  // Slow links: COMMIT takes its time.
  return { ...base, faults, network: { ...base.network, delayMs: 0.8, jitterMs: 0.4 } };
}

export const nodeScenarios: readonly NamedScenario[] = [
  { number: 8, name: 'crash-holder', make: crashHolder },
  { number: 9, name: 'crash-leader', make: crashLeader },
  { number: 10, name: 'crash-during-recovery', make: crashDuringRecovery },
  {
    number: 11,
    name: 'restart-fast',
    make: (seed) => restartFast(seed, 'restart-fast', 0),
    extra: membershipIdsDiffer,
  },
  {
    number: 12,
    name: 'restart-clock-back',
    make: (seed) => restartFast(seed, 'restart-clock-back', -86_400),
    extra: membershipIdsDiffer,
  },
  {
    number: 12,
    name: 'restart-volatile',
    make: restartVolatile,
    extra: membershipIdsDiffer,
  },
  { number: 12, name: 'clock-set-back', make: clockSetBack, extra: isLetIn },
  {
    number: 13,
    name: 'partition-2',
    make: partitioned('partition-2', (random, n) => Array.from({ length: n }, () => random.integer(0, 1))),
  },
  {
    number: 13,
    name: 'partition-3',
    make: partitioned('partition-3', (random, n) => Array.from({ length: n }, () => random.integer(0, 2))),
  },
  {
    number: 13,
    name: 'partition-singletons',
    make: partitioned('partition-singletons', (_, n) => Array.from({ length: n }, (_unused, i) => i)),
  },
  { number: 15, name: 'cascade', make: cascade },
  { number: 16, name: 'merge-3way', make: merge3way },
  { number: 20, name: 'pause', make: pauseNode },
  { number: 21, name: 'slow-node', make: slowNode },
  { number: 22, name: 'slow-client', make: slowClient },
  { number: 23, name: 'hole-then-more', make: holeThenMore },
  { number: 24, name: 'obligation', make: obligation },
  { number: 25, name: 'late-packet', make: latePacket },
];
