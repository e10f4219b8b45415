import { allSystems, FULL_SYSTEMS, HEADLINE_SYSTEMS } from './peers/all-systems.ts';
import type { System } from './peers/system.ts';
import { QUICK_SCENARIOS, type Scenario, scenarios } from './scenarios.ts';

/** One scenario on one system, once. */
export interface PlannedRun {
  readonly scenario: Scenario;
  readonly system: System;
  /** 1-based. */
  readonly repeat: number;
}

export type ScenarioSet = 'quick' | 'headline' | 'full';

export interface SetDefaults {
  readonly measureSeconds: number;
  readonly warmUpSeconds: number;
  readonly latencyWarmUpSeconds: number;
  readonly repeats: number;
}

/** The headline set must take less than ten minutes, the quick set about one. Warm-ups let a JIT compile. */
export const SET_DEFAULTS: Record<ScenarioSet, SetDefaults> = {
  quick: { measureSeconds: 1, warmUpSeconds: 1, latencyWarmUpSeconds: 2, repeats: 1 },
  headline: { measureSeconds: 1, warmUpSeconds: 1.5, latencyWarmUpSeconds: 2, repeats: 3 },
  full: { measureSeconds: 3, warmUpSeconds: 2, latencyWarmUpSeconds: 4, repeats: 5 },
};

export interface Selection {
  readonly set: ScenarioSet;
  /** Ids; empty: all scenarios of the set. */
  readonly scenarioIds: readonly string[];
  readonly systemIds: readonly string[];
  readonly repeats: number;
  /** A running system to measure instead of the known ones. */
  readonly attached: System | null;
}

function pick<T extends { readonly id: string }>(all: readonly T[], ids: readonly string[], kind: string): T[] {
  return ids.map((id) => {
    const found = all.find((item) => item.id === id);
    if (found !== undefined) return found;
    throw new Error(`no ${kind} "${id}"; there are: ${all.map((item) => item.id).join(', ')}`);
  });
}

function scenariosOf(selection: Selection): readonly Scenario[] {
  if (selection.scenarioIds.length > 0) return pick(scenarios, selection.scenarioIds, 'scenario');
  if (selection.set === 'quick') return pick(scenarios, QUICK_SCENARIOS, 'scenario');
  return selection.set === 'headline' ? scenarios.filter((scenario) => scenario.headline) : scenarios;
}

function systemsFor(scenario: Scenario, selection: Selection): readonly System[] {
  if (selection.attached !== null) return [selection.attached];
  if (selection.systemIds.length > 0) return pick(allSystems, selection.systemIds, 'system');
  const ids = selection.set === 'full' ? [...FULL_SYSTEMS, ...scenario.variants] : HEADLINE_SYSTEMS;
  return pick(allSystems, ids, 'system');
}

/**
 * All runs in order: repeat by repeat, and within a scenario system after system, so that a change in the machine's speed affects all systems
 * alike.
 */
export function planRuns(selection: Selection): readonly PlannedRun[] {
  const runs: PlannedRun[] = [];
  for (let repeat = 1; repeat <= selection.repeats; repeat++) {
    for (const scenario of scenariosOf(selection)) {
      for (const system of systemsFor(scenario, selection)) {
        if (system.unsuited(scenario) === null) runs.push({ scenario, system, repeat });
      }
    }
  }
  return runs;
}

/** Time of a run besides its load: start, connect, drain, stop. Taken from earlier runs on small machines. */
const overheadMs = (run: PlannedRun): number => (run.scenario.daemons > 1 ? 9_000 : 1_200);

export interface LoadTimes {
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** Warm-up before latencies are measured; see `openLoop`. */
  readonly latencyWarmUpMs: number;
}

/** Each of several daemons gets only a share of the load, and takes longer to warm up. */
const RING_WARM_UPS = 3;

export const warmUpMsOf = (
  loop: 'closed' | 'open',
  daemons: number,
  { warmUpMs, latencyWarmUpMs }: LoadTimes,
): number => (loop === 'closed' ? warmUpMs : latencyWarmUpMs) * (daemons > 1 ? RING_WARM_UPS : 1);

export function estimateMs(runs: readonly PlannedRun[], times: LoadTimes): number {
  return runs.reduce((sum, run) => {
    const { daemons, kind, saturationShare } = run.scenario;
    const loadMs = warmUpMsOf(kind === 'throughput' ? 'closed' : 'open', daemons, times) + times.measureMs;
    const saturationMs = saturationShare === null ? 0 : warmUpMsOf('closed', daemons, times) + times.measureMs;
    return sum + overheadMs(run) + loadMs + saturationMs;
  }, 0);
}
