/** Finds where other systems have better figures than the subject. */
import type { ReportSystem, RunMetrics } from '../report-schema.ts';
import { median } from '../statistics.ts';
import type { Cell } from './summary.ts';

interface Figure {
  readonly name: string;
  readonly of: (metrics: RunMetrics) => number | undefined;
  readonly isBetter: (mine: number, theirs: number) => boolean;
}

const SPEED: Figure = {
  name: '',
  of: (metrics) => metrics.deliveriesPerSecond,
  isBetter: (mine, theirs) => theirs > mine,
};

const latency = (name: string, pick: 'p50Us' | 'p99Us'): Figure => ({
  name: `, ${name}`,
  of: (metrics) => metrics.latency?.[pick],
  isBetter: (mine, theirs) => theirs < mine,
});

const LATENCIES: readonly Figure[] = [latency('p50', 'p50Us'), latency('p99', 'p99Us')];

const medianOf = (cell: Cell, figure: Figure): number =>
  median(cell.runs.flatMap((run) => (run.metrics === null ? [] : (figure.of(run.metrics) ?? []))));

/** For each system the scenarios and percentiles whose median is better than the subject's; systems without any are left out. */
export function aheadOf(
  cells: readonly Cell[],
  subjectId: string,
): readonly { readonly system: ReportSystem; readonly where: readonly string[] }[] {
  const subjects = cells.filter(({ system }) => system.id === subjectId);
  return [...new Set(cells.map(({ system }) => system))]
    .map((system) => ({
      system,
      where: subjects.flatMap((subject) => {
        const other = cells.find((cell) => cell.system === system && cell.scenario === subject.scenario);
        if (other === undefined || other === subject) return [];
        return (subject.latency === null ? [SPEED] : LATENCIES)
          .filter((figure) => figure.isBetter(medianOf(subject, figure), medianOf(other, figure)))
          .map((figure) => `${subject.scenario.title}${figure.name}`);
      }),
    }))
    .filter(({ where }) => where.length > 0);
}
