/** The engine under the simulator: every named scenario, and a fixed set of swarm seeds. */
import { describe, expect, it } from 'vitest';
import { type RangeResult, runSeeds, SWARM } from './run-seeds.ts';
import { NAMED_SCENARIOS } from './scenario/named.ts';

const LIMITS = { minNodes: 2, maxNodes: 20 };
const SEEDS_PER_SCENARIO = 6;
const SWARM_SEEDS = 600;
const SWARM_BLOCK = 30;
const TIMEOUT_MS = 120_000;

/** Empty when all is well, else how to look at what is not. */
const failuresOf = ({ failures }: RangeResult): string[] =>
  failures.map(({ seed, scenario, violations }) =>
    [
      `npm run simulate -- --scenario ${scenario} --seed ${seed} --quick --trace`,
      ...violations.map((violation) => `${violation.property} (${violation.count}): ${violation.examples[0]}`),
    ].join('\n  '),
  );

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

describe('swarm', () => {
  const blocks = Array.from({ length: SWARM_SEEDS / SWARM_BLOCK }, (_, i) => 1 + i * SWARM_BLOCK);
  it.each(blocks)(
    `%i and the ${SWARM_BLOCK - 1} seeds after it`,
    (firstSeed) => {
      const result = runSeeds({ scenario: SWARM, firstSeed, count: SWARM_BLOCK, limits: LIMITS });
      expect(failuresOf(result)).toEqual([]);
      expect(result.configurations).toBeGreaterThan(SWARM_BLOCK);
    },
    TIMEOUT_MS,
  );
});
