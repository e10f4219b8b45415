/** Scenario 32 of ring-protocol.md 8.5: so many groups that their state exchange is work. */
import type { Violation } from '../checker/check.ts';
import { randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { ProcessTrace } from '../trace/trace.ts';
import type { NamedScenario } from './named.ts';
import { at } from './named-network.ts';
import { ALL_SERVICES, client, FAST_TIMEOUTS, plainScenario, stretched } from './profile.ts';
import type { ClientPlan, Scenario } from './scenario.ts';

interface Size {
  readonly groups: number;
  /** Clients that only sit in their groups. */
  readonly residents: number;
  readonly groupsEach: number;
  readonly fillMs: number;
  readonly partMs: number;
  /** All timeouts of the tests, times this. */
  readonly stretch: number;
  /** Processor time of a daemon for each kilobyte of tables when all have arrived. */
  readonly workMsPerKilobyte: number;
}

/** Timers of the LAN profile, and the longest call of the engine that `--scale-groups` shows for as many groups. */
const FULL: Size = {
  groups: 100_000,
  residents: 10_000,
  groupsEach: 20,
  fillMs: 3_000,
  partMs: 4_000,
  stretch: 5,
  workMsPerKilobyte: 0.08,
};
/** The same in small, with so much work that it takes as large a part of the token loss timeout. */
const QUICK: Size = {
  groups: 400,
  residents: 40,
  groupsEach: 20,
  fillMs: 800,
  partMs: 500,
  stretch: 1,
  workMsPerKilobyte: 5.5,
};

function largeGroups(seed: number, size: Size): Scenario {
  const random = randomFor(seed, 'large-groups');
  const nodeCount = random.integer(3, 4);
  const perNode = Math.ceil(size.residents / nodeCount);
  const stride = Math.floor(size.groups / size.groupsEach);
  const residents = Array.from({ length: size.residents }, (_, i): ClientPlan => {
    const groups = Array.from({ length: size.groupsEach }, (_, k) => `${(i + k * stride) % size.groups}`);
    return client(Math.floor(i / perNode), `r${i}`, { resident: true, wantsViews: false, intervalMs: 50, groups });
  });
  // Tells when its daemon's exchange is over.
  const watchers = Array.from({ length: nodeCount }, (_, node) =>
    client(node, `w${node}`, { resident: true, intervalMs: 20, groups: ['watched'] }),
  );
  // A few that talk, in groups all of them share and in one of the many.
  const talkers = Array.from({ length: nodeCount }, (_, node) =>
    client(node, `c${node}`, { groups: ['red', 'green', '0'], services: ALL_SERVICES, intervalMs: 10, reconnect: 0 }),
  );
  const cut = random.integer(1, nodeCount - 1);
  return plainScenario('large-groups', seed, nodeCount, {
    timeouts: stretched(FAST_TIMEOUTS, size.stretch),
    clients: [...watchers, ...talkers, ...residents],
    faults: [
      {
        kind: 'partition',
        trigger: at(size.fillMs),
        forMs: size.partMs,
        component: Array.from({ length: nodeCount }, (_, node) => (node < cut ? 0 : 1)),
      },
    ],
    faultsEndMs: size.fillMs + size.partMs,
    workAfterMs: 1_200 * size.stretch,
    groupsBodyBytes: 1_200,
    groupsMsPerKilobyte: size.workMsPerKilobyte,
  });
}

interface Merge {
  /** When its last daemon installed the configuration of all, and when its tables were one. */
  readonly installedMs: number;
  readonly mergedMs: number;
  /** Longest time without any token in between. */
  readonly silenceMs: number;
}

/** @returns null when the daemons did not come together, or did not exchange their tables */
function mergeOf({ nodeCount, faultsEndMs }: Scenario, { trace, traffic }: RunResult): Merge | null {
  let [installedMs, mergedMs, firstMs] = [0, 0, Infinity];
  for (const process of trace.processes) {
    const whole = process.events.findIndex(
      (e) => e.kind === 'configuration' && e.regular && e.atMs >= faultsEndMs && e.members.length === nodeCount,
    );
    const seen = trace.clients
      .filter((c) => c.process === process.process && c.wantsViews)
      .flatMap(
        ({ events }) =>
          events.find(
            (e) => e.kind === 'view' && e.group === 'watched' && e.cause === 'network' && e.position > whole,
          ) ?? [],
      );
    if (whole === -1 || seen.length === 0) return null;
    firstMs = Math.min(firstMs, process.events[whole]!.atMs);
    installedMs = Math.max(installedMs, process.events[whole]!.atMs);
    mergedMs = Math.max(mergedMs, ...seen.map(({ position }) => process.events[position - 1]!.atMs));
  }
  // Daemons are busy after the last record of the exchange; the pause it makes is over when the token has come round again.
  const beforeMs = traffic.tokenAtMs.filter((ms) => ms >= firstMs);
  let silenceMs = 0;
  for (let i = 1; i < beforeMs.length && beforeMs[i - 1]! <= mergedMs + 1; i++)
    silenceMs = Math.max(silenceMs, beforeMs[i]! - beforeMs[i - 1]!);
  return { installedMs, mergedMs, silenceMs };
}

/** Joins that a daemon's own clients made. */
const joinsOf = (process: ProcessTrace, untilMs: number): number =>
  process.events.filter(
    (e) => e.kind === 'deliver' && e.group?.operation === 'join' && e.origin === process.node && e.atMs < untilMs,
  ).length;

function largeGroupsFailures(scenario: Scenario, result: RunResult): Violation[] {
  const failures: string[] = [];
  const wanted = scenario.clients.reduce((sum, plan) => sum + (plan.resident === true ? plan.groups.length : 0), 0);
  const [cut] = scenario.faults;
  const cutMs = cut?.trigger.kind === 'time' ? cut.trigger.atMs : Infinity;
  const joins = result.trace.processes.reduce((sum, process) => sum + joinsOf(process, cutMs), 0);
  if (joins < wanted) failures.push(`${joins} of ${wanted} memberships before the cut`);
  for (const process of result.trace.processes) {
    const later = process.events.filter(
      (e) => e.kind === 'configuration' && e.regular && e.atMs >= scenario.faultsEndMs,
    );
    if (later.length !== 1)
      failures.push(`process ${process.process} installed ${later.length} configurations after the network was whole`);
  }
  const merge = mergeOf(scenario, result);
  if (merge === null) failures.push('no merge of all daemons');
  else if (merge.silenceMs >= scenario.timeouts.tokenLossMs)
    failures.push(`no token for ${merge.silenceMs.toFixed(1)} ms during the state exchange`);
  if (failures.length === 0) return [];
  return [
    {
      property: 'large-groups',
      title: 'the ring outlives the work of a merge',
      examples: failures,
      count: failures.length,
    },
  ];
}

function largeGroupsFigures(scenario: Scenario, result: RunResult): string {
  const merge = mergeOf(scenario, result);
  if (merge === null) return 'no merge';
  const ms = (value: number): string => value.toFixed(0);
  return (
    `seed ${scenario.seed}: ${scenario.nodeCount} daemons; merged ${ms(merge.mergedMs - scenario.faultsEndMs)} ms after the network was whole, ` +
    `of which ${ms(merge.mergedMs - merge.installedMs)} ms state exchange; longest time without a token ${ms(merge.silenceMs)} ms ` +
    `(lost after ${scenario.timeouts.tokenLossMs} ms)`
  );
}

export const groupScenarios: readonly NamedScenario[] = [
  {
    number: 32,
    name: 'large-groups',
    make: (seed) => largeGroups(seed, FULL),
    makeQuick: (seed) => largeGroups(seed, QUICK),
    seeds: 1,
    extra: largeGroupsFailures,
    figures: largeGroupsFigures,
  },
];
