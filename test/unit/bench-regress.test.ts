import { describe, expect, it } from 'vitest';
import {
  BASELINE_VERSION,
  type Baseline,
  compareFigures,
  type Figure,
  formatComparisons,
  isRegression,
  makeBaseline,
  parseBaseline,
} from '../../bench/regress/figures.ts';
import { parseSummary } from '../../bench/regress/strace.ts';

const figure = (id: string, value: number | null, more: Partial<Figure> = {}): Figure => ({
  id,
  title: `title of ${id}`,
  unit: 'B',
  value,
  tolerance: 0.1,
  slack: 1,
  ...more,
});

const baseline = (...figures: Figure[]): Baseline => makeBaseline(figures, 20, null);

describe('comparison with the baseline', () => {
  const verdictOf = (now: Figure, before: Figure | null): string =>
    compareFigures([now], before === null ? null : baseline(before))[0].verdict;

  it.each([
    [111, 'same'],
    [111.1, 'worse'],
    [89, 'same'],
    [88.9, 'better'],
  ])('of 100 with 10 %% and 1 to spare: %d is %s', (value, verdict) => {
    expect(verdictOf(figure('a', value), figure('a', 100))).toBe(verdict);
  });

  it('judges by the tolerance in the baseline, not by the current one', () => {
    expect(verdictOf(figure('a', 150, { tolerance: 1 }), figure('a', 100))).toBe('worse');
  });

  it('fails on a missed promise, whatever the baseline has', () => {
    const broken = figure('a', 0.6, { limit: 0.5 });
    expect(verdictOf(broken, broken)).toBe('over limit');
    expect(verdictOf(broken, null)).toBe('over limit');
    expect(verdictOf(figure('a', 0.5, { limit: 0.5 }), null)).toBe('new');
  });

  it('fails on figures that are worse, over a limit or missing; not on new or unavailable ones', () => {
    const now = [
      figure('same', 100),
      figure('new', 5),
      figure('no-tool', null, { why: 'strace is not installed' }),
      figure('worse', 300),
    ];
    const before = baseline(figure('same', 100), figure('no-tool', 7), figure('worse', 100), figure('gone', 3));
    const comparisons = compareFigures(now, before);
    expect(comparisons.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['same', 'same'],
      ['new', 'new'],
      ['no-tool', 'not available'],
      ['worse', 'worse'],
      ['gone', 'missing'],
    ]);
    expect(comparisons.filter(isRegression).map(({ id }) => id)).toEqual(['worse', 'gone']);
    expect(formatComparisons(comparisons)).toMatch(
      /title of no-tool\s+–\s+7\s+not available\s+B \(strace is not installed\)/,
    );
  });
});

describe('the baseline file', () => {
  it('survives writing and reading, and keeps figures that were unavailable', () => {
    const before = baseline(figure('a', 1.23456789), figure('calls', 7));
    const after = makeBaseline([figure('a', 2), figure('calls', null)], 20, before);
    expect(parseBaseline(JSON.stringify(after), 'file')).toEqual(after);
    expect(after.figures['a'].value).toBe(2);
    expect(after.figures['calls'].value).toBe(7);
    expect(before.figures['a'].value).toBe(1.23457);
  });

  it('is refused with file and field when it is wrong', () => {
    expect(() => parseBaseline('{', 'x.json')).toThrow(/x\.json is not JSON/);
    const wrong = { baselineVersion: BASELINE_VERSION, nodeMajor: 20, figures: { a: { value: 'many' } } };
    expect(() => parseBaseline(JSON.stringify(wrong), 'x.json')).toThrow(
      /x\.json is not a baseline[\s\S]*figures\.a\.value/,
    );
  });
});

it('counts calls in a summary of strace, with and without errors, total left out', () => {
  const summary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 73.95    0.017220           5      3017           epoll_pwait
 11.00    0.002564           2      1000        12 read
  0.00    0.000000           0         3           restart_syscall
------ ----------- ----------- --------- --------- ----------------
100.00    0.023286           5      4020        12 total
`;
  expect([...parseSummary(summary)]).toEqual([
    ['epoll_pwait', 3017],
    ['read', 1000],
    ['restart_syscall', 3],
  ]);
});
