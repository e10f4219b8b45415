/** Runs seeds and returns the results, in a worker thread or directly in tests. */
import { check, PROPERTIES, type Violation } from './checker/check.ts';
import { ringEngine } from './engines.ts';
import { namedScenario } from './scenario/named.ts';
import type { Scenario } from './scenario/scenario.ts';
import { type SwarmLimits, swarmScenario } from './scenario/swarm.ts';
import { Simulation } from './simulation.ts';

export const SWARM = 'swarm';

export interface SeedRange {
  /** `swarm`, or the name of a scenario. */
  readonly scenario: string;
  readonly firstSeed: number;
  readonly count: number;
  readonly limits: SwarmLimits;
  /** Large scenarios in the size for `npm test`. */
  readonly quick?: boolean;
  /** Ends the range at the first seed that fails. */
  readonly stopAtFailure?: boolean;
}

export interface SeedFailure {
  readonly seed: number;
  readonly scenario: string;
  readonly violations: readonly Violation[];
}

export interface RangeResult {
  readonly seeds: number;
  readonly failures: readonly SeedFailure[];
  readonly virtualMs: number;
  readonly datagrams: number;
  /** Configurations installed, messages sent, deliveries: how much there was to check. */
  readonly configurations: number;
  readonly deliveries: number;
  /** What the scenario says of its runs. */
  readonly figures: readonly string[];
}

export function makeScenario(scenario: string, seed: number, limits: SwarmLimits, quick = false): Scenario {
  const made = scenario === SWARM ? swarmScenario(seed, limits) : namedOf(scenario, seed, quick);
  return limits.sealed === true ? { ...made, sealed: true } : made;
}

function namedOf(scenario: string, seed: number, quick: boolean): Scenario {
  const named = namedScenario(scenario);
  return (quick ? named.makeQuick?.(seed) : undefined) ?? named.make(seed);
}

/** Runs one scenario and checks everything that applies to it. */
export function violationsOf(scenario: Scenario): { violations: Violation[]; result: ReturnType<Simulation['run']> } {
  const result = new Simulation(scenario, ringEngine).run();
  const named = scenario.name === SWARM ? null : namedScenario(scenario.name);
  const only = named?.properties;
  const properties = only === undefined ? PROPERTIES : PROPERTIES.filter((property) => only.includes(property.name));
  const violations = check(result.trace, properties);
  violations.push(...sealViolations(result.sealFaults));
  if (named?.extra !== undefined) violations.push(...named.extra(scenario, result));
  return { violations, result };
}

/** Holds in every run that is sealed, whoever sends what. */
function sealViolations(faults: readonly string[]): Violation[] {
  if (faults.length === 0) return [];
  const title = 'nothing is opened twice, by another, or after its time, and no nonce is used again';
  return [{ property: 'seal', title, examples: faults, count: faults.length }];
}

export function runSeeds(range: SeedRange): RangeResult {
  const failures: SeedFailure[] = [];
  const figures: string[] = [];
  const totals = { virtualMs: 0, datagrams: 0, configurations: 0, deliveries: 0 };
  let seeds = 0;
  for (let seed = range.firstSeed; seed < range.firstSeed + range.count; seed++) {
    const scenario = makeScenario(range.scenario, seed, range.limits, range.quick);
    const { violations, result } = violationsOf(scenario);
    seeds++;
    const line = range.scenario === SWARM ? undefined : namedScenario(range.scenario).figures?.(scenario, result);
    if (line !== undefined) figures.push(line);
    totals.virtualMs += result.trace.endedAtMs;
    totals.datagrams += result.datagrams;
    for (const process of result.trace.processes)
      for (const event of process.events)
        if (event.kind === 'deliver') totals.deliveries++;
        else if (event.kind === 'configuration') totals.configurations++;
    if (violations.length > 0) failures.push({ seed, scenario: range.scenario, violations });
    if (violations.length > 0 && range.stopAtFailure === true) break;
  }
  return { seeds, failures, figures, ...totals };
}
