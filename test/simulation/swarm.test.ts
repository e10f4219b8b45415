/** The engine under the simulator: a fixed set of swarm seeds. */
import { describe, expect, it } from 'vitest';
import { failuresOf } from './failures.ts';
import { runSeeds, SWARM } from './run-seeds.ts';

const LIMITS = { minNodes: 2, maxNodes: 20 };
const SWARM_SEEDS = 300;
const SWARM_BLOCK = 30;
const TIMEOUT_MS = 120_000;

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
