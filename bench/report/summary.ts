/** Medians over the repeats of each cell (one scenario on one system). */
import type { Report, ReportScenario, ReportSystem, Run, RunMetrics } from '../report-schema.ts';
import { median, type RatioInterval, ratioOf } from '../statistics.ts';

export interface LatencyCell {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly latenessP50Us: number;
  readonly latenessP99Us: number;
  /** Medians over the repeats for each point. */
  readonly curve: readonly (readonly [percentile: number, microseconds: number])[];
}

export interface Cell {
  readonly scenario: ReportScenario;
  readonly system: ReportSystem;
  readonly runs: readonly Run[];
  /** Of the successful runs; NaN without any. */
  readonly deliveriesPerSecond: number;
  readonly lowest: number;
  readonly highest: number;
  readonly messagesPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly ratePerSecond: number | null;
  readonly latency: LatencyCell | null;
  readonly systemCores: number;
  readonly peakResidentBytes: number;
  /** Of all runs. */
  readonly lost: number;
  readonly disorder: number;
  /** False: a run saw two orders. Null: no run could tell. */
  readonly oneOrder: boolean | null;
  readonly error: string | null;
}

const succeeded = (runs: readonly Run[]): RunMetrics[] => runs.flatMap((run) => run.metrics ?? []);

function latencyCell(metrics: readonly RunMetrics[]): LatencyCell | null {
  const latencies = metrics.flatMap((m) => m.latency ?? []);
  const lateness = metrics.flatMap((m) => m.lateness ?? []);
  const [first] = latencies;
  if (first === undefined) return null;
  return {
    p50Us: median(latencies.map((l) => l.p50Us)),
    p99Us: median(latencies.map((l) => l.p99Us)),
    p999Us: median(latencies.map((l) => l.p999Us)),
    latenessP50Us: median(lateness.map((l) => l.p50Us)),
    latenessP99Us: median(lateness.map((l) => l.p99Us)),
    curve: first.curve.map(([percentile], i) => [percentile, median(latencies.map((l) => l.curve[i][1]))] as const),
  };
}

function oneOrderOf(metrics: readonly RunMetrics[]): boolean | null {
  const known = metrics.flatMap((m) => m.oneOrder ?? []);
  return known.length === 0 ? null : known.every((same) => same);
}

function cellOf(scenario: ReportScenario, system: ReportSystem, runs: readonly Run[]): Cell {
  const metrics = succeeded(runs);
  const speeds = metrics.map((m) => m.deliveriesPerSecond);
  const sum = (value: (m: RunMetrics) => number): number => metrics.reduce((total, m) => total + value(m), 0);
  const rates = runs.flatMap((run) => run.ratePerSecond ?? []);
  return {
    scenario,
    system,
    runs,
    deliveriesPerSecond: median(speeds),
    lowest: Math.min(...speeds),
    highest: Math.max(...speeds),
    messagesPerSecond: median(metrics.map((m) => m.messagesPerSecond)),
    megabytesPerSecond: median(metrics.map((m) => m.megabytesPerSecond)),
    ratePerSecond: rates.length === 0 ? null : median(rates),
    latency: latencyCell(metrics),
    systemCores: median(metrics.map((m) => m.systemCores)),
    peakResidentBytes: Math.max(0, ...metrics.map((m) => m.systemPeakResidentBytes)),
    lost: sum((m) => m.lost),
    disorder: sum((m) => m.disorder),
    oneOrder: oneOrderOf(metrics),
    error: runs.find((run) => run.error !== null)?.error ?? null,
  };
}

/** All measured cells, scenario by scenario, systems in the order of the report. */
export function summarise(report: Report): readonly Cell[] {
  const cells: Cell[] = [];
  for (const scenario of report.scenarios) {
    for (const system of report.systems) {
      const runs = report.runs.filter((run) => run.scenario === scenario.id && run.system === system.id);
      if (runs.length > 0) cells.push(cellOf(scenario, system, runs));
    }
  }
  return cells;
}

/** The main figure of a cell: deliveries per second, or the median latency. */
export const decisive = (cell: Cell): number => cell.latency?.p50Us ?? cell.deliveriesPerSecond;

/** How many times better `subject` is than `other` in the same scenario, with the interval; null: one of them failed. */
export function advantage(subject: Cell, other: Cell): RatioInterval | null {
  const figures = (cell: Cell): number[] =>
    succeeded(cell.runs)
      .map((m) => m.latency?.p50Us ?? m.deliveriesPerSecond)
      .filter((value) => value > 0);
  const [mine, theirs] = [figures(subject), figures(other)];
  if (mine.length === 0 || theirs.length === 0) return null;
  return subject.latency === null ? ratioOf(theirs, mine) : ratioOf(mine, theirs);
}
