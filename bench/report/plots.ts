/** Chooses the cells of each plot. */
import type { Report, ReportSystem } from '../report-schema.ts';
import { lookOf } from './colours.ts';
import { bytes, compact, microseconds } from './format.ts';
import { type Axis, drawLineChart, type Series } from './line-chart.ts';
import type { Cell } from './summary.ts';
import { isVariant } from './variants.ts';

type Point = readonly [x: number, y: number];

/** One series for each system, from the cells with a point. */
function seriesOf(
  systems: readonly ReportSystem[],
  cells: readonly Cell[],
  point: (cell: Cell) => Point | null,
): readonly Series[] {
  return systems.flatMap((system) => {
    const points = cells
      .filter((cell) => cell.system.id === system.id)
      .flatMap((cell) => {
        const found = point(cell);
        return found === null || !Number.isFinite(found[1]) ? [] : [found];
      })
      .sort(([a], [b]) => a - b);
    return points.length === 0 ? [] : [{ name: system.title, ...lookOf(system.id), points }];
  });
}

const ticksOf = (series: readonly Series[], label: (value: number) => string): readonly (readonly [number, string])[] =>
  [...new Set(series.flatMap((one) => one.points.map(([x]) => x)))]
    .sort((a, b) => a - b)
    .map((x) => [x, label(x)] as const);

const latencyAxis: Axis = { title: 'one-way latency', scale: 'log', format: microseconds };
const deliveriesAxis = (title: string): Axis => ({ title, scale: 'log', format: compact });

function againstSize(report: Report, cells: readonly Cell[]): string {
  const chosen = cells.filter((cell) => cell.scenario.family === 'size');
  const plot = (title: string, yTitle: string, value: (cell: Cell) => number): string => {
    const series = seriesOf(report.systems, chosen, (cell) => [cell.scenario.payloadBytes, value(cell)]);
    const x: Axis = { title: 'payload', scale: 'log', format: bytes, ticks: ticksOf(series, bytes) };
    return drawLineChart({ title, x, y: deliveriesAxis(yTitle), series });
  };
  return (
    plot('Messages against size, 1 to 1', 'messages/s', (cell) => cell.deliveriesPerSecond) +
    plot('Bytes against size, 1 to 1', 'MB/s of payload', (cell) => cell.megabytesPerSecond)
  );
}

/** Spaces percentiles by their number of nines. */
const nines = (percentile: number): number => -Math.log10(1 - percentile / 100);

const PERCENTILE_TICKS = [0, 50, 90, 99, 99.9, 99.99].map((p) => [nines(p), `${p}`] as const);

function percentileCurves(report: Report, cells: readonly Cell[]): string {
  const scenarios = report.scenarios.filter((scenario) => scenario.kind === 'latency');
  return scenarios
    .map((scenario) => {
      const series = report.systems.flatMap((system): Series[] => {
        const cell = cells.find((c) => c.scenario.id === scenario.id && c.system.id === system.id);
        if (cell?.latency === null || cell === undefined) return [];
        const recorded = cell.runs.reduce((sum, run) => Math.max(sum, run.metrics?.latency?.count ?? 0), 0);
        // A percentile needs about ten recordings beyond it.
        const points = cell.latency.curve
          .filter(([percentile]) => percentile === 0 || (1 - percentile / 100) * recorded >= 5)
          .map(([percentile, value]): Point => [nines(percentile), value]);
        return [{ name: system.title, ...lookOf(system.id), points }];
      });
      const x: Axis = { title: 'percentile', scale: 'linear', format: String, ticks: PERCENTILE_TICKS };
      return drawLineChart({ title: `Percentiles: ${scenario.title}`, x, y: latencyAxis, series });
    })
    .join('');
}

function againstLoad(report: Report, cells: readonly Cell[]): string {
  const chosen = cells.filter((cell) => cell.scenario.family === 'load');
  const plot = (title: string, value: (cell: Cell) => number): string => {
    const series = seriesOf(report.systems, chosen, (cell) =>
      cell.ratePerSecond === null ? null : [cell.ratePerSecond, value(cell)],
    );
    const x: Axis = { title: 'messages a second offered', scale: 'log', format: compact };
    return drawLineChart({ title, x, y: latencyAxis, series });
  };
  return (
    plot('Latency against load, median', (cell) => cell.latency?.p50Us ?? Number.NaN) +
    plot('Latency against load, p99', (cell) => cell.latency?.p99Us ?? Number.NaN)
  );
}

function scaling(report: Report, cells: readonly Cell[]): string {
  const fanOut = cells.filter(
    ({ scenario: { senders, payloadBytes, kind, idleClients } }) =>
      senders === 1 && payloadBytes === 256 && kind === 'throughput' && idleClients === 0,
  );
  const agreed = fanOut.filter((cell) => cell.scenario.service === 'agreed');
  const receivers = seriesOf(report.systems, agreed, (cell) => [cell.scenario.receivers, cell.deliveriesPerSecond]);
  const rings = cells.filter(
    ({ scenario }) =>
      scenario.kind === 'throughput' &&
      scenario.network === 'loopback' &&
      scenario.payloadBytes === 256 &&
      (scenario.family === 'ring' || scenario.id === 'one-to-one-256'),
  );
  const daemons = seriesOf(report.systems, rings, (cell) => [cell.scenario.daemons, cell.messagesPerSecond]);
  const withRings = daemons.filter((one) => one.points.some(([x]) => x > 1));
  return (
    drawLineChart({
      title: 'Scaling against receivers, 256 B',
      x: { title: 'receivers', scale: 'log', format: compact, ticks: ticksOf(receivers, String) },
      y: deliveriesAxis('deliveries/s, all together'),
      series: receivers.filter((one) => one.points.length > 1),
    }) +
    drawLineChart({
      title: 'Scaling against daemons, 256 B, all on this machine',
      x: { title: 'daemons', scale: 'linear', format: String, ticks: ticksOf(withRings, String) },
      y: deliveriesAxis('ordered messages/s at each receiver'),
      series: withRings,
    })
  );
}

export interface PlotSection {
  readonly title: string;
  readonly html: string;
}

/** Sections without a plot are left out. */
export function plotSections(report: Report, allCells: readonly Cell[]): readonly PlotSection[] {
  const cells = allCells.filter(({ system }) => !isVariant(system.id));
  return [
    { title: 'Throughput against size', html: againstSize(report, cells) },
    { title: 'Latency percentiles', html: percentileCurves(report, cells) },
    { title: 'Latency against load', html: againstLoad(report, cells) },
    { title: 'Scaling', html: scaling(report, cells) },
  ].filter((section) => section.html !== '');
}
