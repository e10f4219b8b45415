import type { RangeResult } from './run-seeds.ts';

/** Empty without failures, else the command that shows each one. */
export const failuresOf = ({ failures }: RangeResult): string[] =>
  failures.map(({ seed, scenario, violations }) =>
    [
      `npm run simulate -- --scenario ${scenario} --seed ${seed} --quick --trace`,
      ...violations.map((violation) => `${violation.property} (${violation.count}): ${violation.examples[0]}`),
    ].join('\n  '),
  );
