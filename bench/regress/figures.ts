/** Figures that do not depend on how busy the machine is, and their baseline. */
import { z } from 'zod';

export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Null: not available; `why` gives the reason. */
  readonly value: number | null;
  readonly why?: string;
  /** Allowed increase over the baseline, as a share of it. */
  readonly tolerance: number;
  /** Further allowed increase, in the figure's unit, for figures near zero. */
  readonly slack: number;
  /** An absolute limit, whatever the baseline says. */
  readonly limit?: number;
}

export const BASELINE_VERSION = 1;

export const baselineSchema = z.object({
  baselineVersion: z.literal(BASELINE_VERSION),
  /** Of the measured run, because other versions of V8 allocate differently. */
  nodeMajor: z.int().positive(),
  figures: z.record(
    z.string(),
    z.object({
      value: z.number(),
      unit: z.string(),
      tolerance: z.number().nonnegative(),
      slack: z.number().nonnegative(),
    }),
  ),
});
export type Baseline = z.infer<typeof baselineSchema>;

/** @throws when the text is not a baseline; the error names the file and the field */
export function parseBaseline(text: string, source: string): Baseline {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${source} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result = baselineSchema.safeParse(json);
  if (!result.success) throw new Error(`${source} is not a baseline: ${z.prettifyError(result.error)}`);
  return result.data;
}

const rounded = (value: number): number => Number(value.toPrecision(6));

/** Keeps the values of `before` for figures that are not available this time. */
export function makeBaseline(figures: readonly Figure[], nodeMajor: number, before: Baseline | null): Baseline {
  const entries = figures.flatMap(({ id, value, unit, tolerance, slack }) => {
    const kept = before?.figures[id];
    if (value === null) return kept === undefined ? [] : [[id, kept] as const];
    return [[id, { value: rounded(value), unit, tolerance, slack }] as const];
  });
  return { baselineVersion: BASELINE_VERSION, nodeMajor, figures: Object.fromEntries(entries) };
}

export type Verdict = 'same' | 'better' | 'worse' | 'over limit' | 'new' | 'not available' | 'missing';

export interface Comparison {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly value: number | null;
  readonly baseline: number | null;
  readonly verdict: Verdict;
  readonly note: string;
}

function judge(figure: Figure, baseline: Baseline | null): Verdict {
  const { value, limit } = figure;
  if (value === null) return 'not available';
  if (limit !== undefined && value > limit) return 'over limit';
  const before = baseline?.figures[figure.id];
  if (before === undefined) return 'new';
  const room = Math.abs(before.value) * before.tolerance + before.slack;
  if (value > before.value + room) return 'worse';
  return value < before.value - room ? 'better' : 'same';
}

/** All measured figures, then those that are only in the baseline. */
export function compareFigures(figures: readonly Figure[], baseline: Baseline | null): readonly Comparison[] {
  const compared = figures.map((figure): Comparison => {
    const before = baseline?.figures[figure.id]?.value ?? null;
    const limit = figure.limit === undefined ? '' : `at most ${figure.limit}`;
    return {
      id: figure.id,
      title: figure.title,
      unit: figure.unit,
      value: figure.value,
      baseline: before,
      verdict: judge(figure, baseline),
      note: figure.why ?? limit,
    };
  });
  const measured = new Set(figures.map((figure) => figure.id));
  const missing = Object.entries(baseline?.figures ?? {})
    .filter(([id]) => !measured.has(id))
    .map(([id, { value, unit }]): Comparison => {
      const note = 'in the baseline, but no longer measured: --update';
      return { id, title: id, unit, value: null, baseline: value, verdict: 'missing', note };
    });
  return [...compared, ...missing];
}

/** A missing figure is a regression too: a check must not disappear unnoticed. */
export const isRegression = ({ verdict }: Comparison): boolean =>
  verdict === 'worse' || verdict === 'over limit' || verdict === 'missing';

const number = (value: number | null): string => {
  if (value === null) return '–';
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2).replace(/\.?0+$/, '');
};

export function formatComparisons(comparisons: readonly Comparison[]): string {
  const width = Math.max(...comparisons.map(({ title }) => title.length));
  const head = `${'figure'.padEnd(width)} ${'now'.padStart(12)} ${'baseline'.padStart(12)}  verdict`;
  const rows = comparisons.map(
    ({ title, unit, value, baseline, verdict, note }) =>
      `${title.padEnd(width)} ${number(value).padStart(12)} ${number(baseline).padStart(12)}  ${verdict.padEnd(13)} ${unit}${note === '' ? '' : ` (${note})`}`,
  );
  return [head, ...rows].join('\n');
}
