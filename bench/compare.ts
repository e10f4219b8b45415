/** Compares two reports: the ratio of each cell with its interval, regressions marked. */
import type { Report, RunMetrics } from './report-schema.ts';
import { type RatioInterval, ratioOf } from './statistics.ts';

export type Verdict = 'better' | 'worse' | 'same' | 'unsure';

export interface ComparedCell extends RatioInterval {
  readonly scenario: string;
  readonly system: string;
  readonly figure: string;
  readonly verdict: Verdict;
}

/** A smaller change is not reported, even if it is significant. */
const NOTEWORTHY = 0.05;

interface Figure {
  readonly name: string;
  readonly higherIsBetter: boolean;
  read(metrics: RunMetrics): number | undefined;
}

const FIGURES: readonly Figure[] = [
  {
    name: 'deliveries/s',
    higherIsBetter: true,
    read: (m) => (m.latency === null ? m.deliveriesPerSecond : undefined),
  },
  { name: 'p50', higherIsBetter: false, read: (m) => m.latency?.p50Us },
  { name: 'p99', higherIsBetter: false, read: (m) => m.latency?.p99Us },
];

function values(report: Report, scenario: string, system: string, figure: Figure): number[] {
  const found: number[] = [];
  for (const run of report.runs) {
    if (run.scenario !== scenario || run.system !== system || run.metrics === null) continue;
    const value = figure.read(run.metrics);
    if (value !== undefined && value > 0) found.push(value);
  }
  return found;
}

function judge(comparison: RatioInterval, higherIsBetter: boolean): Verdict {
  if (comparison.interval === null) return 'unsure';
  const [low, high] = comparison.interval;
  if (low > 1 + NOTEWORTHY) return higherIsBetter ? 'better' : 'worse';
  if (high < 1 - NOTEWORTHY) return higherIsBetter ? 'worse' : 'better';
  return low <= 1 && high >= 1 && high / low > 1.5 ? 'unsure' : 'same';
}

/** Cells that both reports have; the ratio is second / first. */
export function compareReports(first: Report, second: Report): readonly ComparedCell[] {
  const cells: ComparedCell[] = [];
  for (const scenario of first.scenarios) {
    for (const system of first.systems) {
      for (const figure of FIGURES) {
        const before = values(first, scenario.id, system.id, figure);
        const after = values(second, scenario.id, system.id, figure);
        if (before.length === 0 || after.length === 0) continue;
        const comparison = ratioOf(before, after);
        const verdict = judge(comparison, figure.higherIsBetter);
        cells.push({ scenario: scenario.id, system: system.id, figure: figure.name, verdict, ...comparison });
      }
    }
  }
  return cells;
}

const MARK: Record<Verdict, string> = { better: '+', worse: '! REGRESSION', same: '', unsure: '?' };

/** Few runs give intervals over many powers of ten, whose exact bounds mean nothing. */
function formatBound(value: number): string {
  if (value < 0.01) return '< 0.01';
  return value > 100 ? '> 100' : value.toFixed(2);
}

export function formatComparison(cells: readonly ComparedCell[]): string {
  const rows = cells.map((cell) => {
    const interval =
      cell.interval === null ? 'one run only' : `${formatBound(cell.interval[0])} to ${formatBound(cell.interval[1])}`;
    return [cell.scenario, cell.system, cell.figure, `${cell.ratio.toFixed(2)}x`, interval, MARK[cell.verdict]];
  });
  const table = [['scenario', 'system', 'figure', 'ratio', '95 % interval', ''], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
