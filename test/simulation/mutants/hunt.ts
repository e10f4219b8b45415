/** Runs seeds on a mutant until one catches it. */
import type { Piscina } from 'piscina';
import { type RangeResult, type SeedRange, SWARM } from '../run-seeds.ts';
import type { Mutant } from './mutant.ts';

export interface Catch {
  readonly mutant: string;
  /** Null when nothing caught it. */
  readonly by: { readonly scenario: string; readonly seed: number; readonly properties: readonly string[] } | null;
  /** Runs until then. */
  readonly seeds: number;
}

const SEEDS_PER_TASK = 20;
const LIMITS = { minNodes: 2, maxNodes: 6 };

/**
 * @param pool threads that run the mutant
 * @param seedsPerScenario how long to look in each of its scenarios before the next, and then in the swarm
 */
export async function hunt(
  pool: Piscina<SeedRange, RangeResult>,
  mutant: Mutant,
  seedsPerScenario: number,
): Promise<Catch> {
  let seeds = 0;
  for (const scenario of [...mutant.scenarios, SWARM])
    for (let first = 1; first <= seedsPerScenario; first += SEEDS_PER_TASK * pool.options.maxThreads) {
      const tasks = Array.from({ length: pool.options.maxThreads }, (_, i) =>
        pool.run({
          scenario,
          firstSeed: first + i * SEEDS_PER_TASK,
          count: SEEDS_PER_TASK,
          limits: LIMITS,
          stopAtFailure: mutant.expected === undefined,
        }),
      );
      const results = await Promise.all(tasks);
      for (const result of results) seeds += result.seeds;
      for (const failure of results.flatMap((result) => result.failures)) {
        const properties = failure.violations.map((violation) => violation.property);
        if (mutant.expected === undefined || properties.some((name) => mutant.expected!.includes(name)))
          return { mutant: mutant.name, by: { scenario, seed: failure.seed, properties }, seeds };
      }
    }
  return { mutant: mutant.name, by: null, seeds };
}
