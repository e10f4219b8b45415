import type { RangeResult } from './run-seeds.ts';

/** Empty when all is well, else how to look at what is not. */
export const failuresOf = ({ failures }: RangeResult): string[] =>
  failures.map(({ seed, scenario, violations }) =>
    [
      `npm run simulate -- --scenario ${scenario} --seed ${seed} --quick --trace`,
      ...violations.map((violation) => `${violation.property} (${violation.count}): ${violation.examples[0]}`),
    ].join('\n  '),
  );
