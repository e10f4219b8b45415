/** The engine under the simulator: every named scenario. */
import { describe, expect, it } from 'vitest';
import { failuresOf } from './failures.ts';
import { runSeeds } from './run-seeds.ts';
import { NAMED_SCENARIOS } from './scenario/named.ts';

const LIMITS = { minNodes: 2, maxNodes: 20 };
const SEEDS_PER_SCENARIO = 4;
const TIMEOUT_MS = 120_000;

describe('scenarios of the specification', () => {
  it.each(NAMED_SCENARIOS)(
    '$number $name',
    ({ name }) => {
      const result = runSeeds({ scenario: name, firstSeed: 1, count: SEEDS_PER_SCENARIO, limits: LIMITS, quick: true });
      expect(failuresOf(result)).toEqual([]);
      // A run in which nothing is delivered shows nothing.
      expect(result.deliveries).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
