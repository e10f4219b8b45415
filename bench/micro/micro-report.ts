/** The report of the micro-benchmarks as JSON, as lines for a terminal, and as a page. */
import { z } from 'zod';
import { compact, escapeHtml } from '../report/format.ts';
import { STYLE } from '../report/style.ts';
import { table } from '../report/tables.ts';
import { machineSchema } from '../report-schema.ts';
import { DISAGREEMENT_LIMIT, disagreement, disagrees, type MicroResult, microResultSchema } from './micro-row.ts';

export const MICRO_REPORT_VERSION = 1;

export const microReportSchema = z.object({
  microReportVersion: z.literal(MICRO_REPORT_VERSION),
  createdAt: z.iso.datetime(),
  command: z.string(),
  commit: z.string(),
  machine: machineSchema,
  /** Time for each row. */
  measureMs: z.number().positive(),
  families: z.array(z.object({ id: z.string(), title: z.string() })),
  results: z.array(microResultSchema),
});
export type MicroReport = z.infer<typeof microReportSchema>;

export function duration(nanoseconds: number): string {
  if (nanoseconds >= 1e6) return `${(nanoseconds / 1e6).toPrecision(3)} ms`;
  if (nanoseconds >= 1e3) return `${(nanoseconds / 1e3).toPrecision(3)} µs`;
  return `${nanoseconds.toPrecision(3)} ns`;
}

const throughput = (result: MicroResult): string =>
  result.bytesPerSecond === null ? '–' : `${compact(result.bytesPerSecond)}B/s`;

function opinion(result: MicroResult): string {
  const off = disagreement(result);
  if (result.secondOpinion === null || off === null) return '';
  const text = `${duration(result.secondOpinion)} (${off >= 0 ? '+' : ''}${(off * 100).toFixed(0)} %)`;
  return disagrees(result) ? `${text} DISAGREES` : text;
}

export const ROW_HEAD = ['', 'ns/op', 'p99', '± mean', 'bytes/s', 'second opinion'] as const;

/** The columns of `ROW_HEAD`. */
export const rowCells = (result: MicroResult): readonly string[] => [
  result.title,
  duration(result.nanoseconds),
  duration(result.p99),
  `${result.relativeMarginPercent.toFixed(1)} %`,
  throughput(result),
  opinion(result),
];

const WIDTHS = [76, 10, 10, 9, 12, 0];

export const formatRow = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => (i === 0 || i === cells.length - 1 ? `  ${cell.padEnd(WIDTHS[i])}` : cell.padStart(WIDTHS[i])))
    .join('')
    .trimEnd();

const METHOD = `Figures are medians, per operation. Each family runs in a thread of its own, so that the compiler knows nothing of the others; tinybench measures, and rows that decide a
design are measured by Benchmark.js once more in a fresh thread: "disagrees" marks those that differ by more than ${DISAGREEMENT_LIMIT * 100} %. Percentiles are those of whole calls.`;

export function renderMicroPage(report: MicroReport): string {
  const { machine } = report;
  const facts = [
    `${report.createdAt.slice(0, 16).replace('T', ' ')} UTC`,
    `commit ${report.commit}`,
    `${machine.cpu}, ${machine.cores} cores`,
    `${machine.kernel}, ${machine.distribution}`,
    `Node ${machine.node}`,
    `load before: ${machine.loadAverageBefore.toFixed(2)}`,
    `${report.measureMs} ms for each row`,
  ];
  const section = (family: MicroReport['families'][number]): string => {
    const rows = report.results
      .filter((result) => result.family === family.id)
      .map((result) => rowCells(result).map(escapeHtml));
    return `<h2>${escapeHtml(family.title)}</h2>${table(ROW_HEAD, rows, 1)}`;
  };
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>skein micro-benchmarks ${escapeHtml(report.createdAt.slice(0, 10))}</title><style>${STYLE}</style></head>
<body><h1>skein: what the parts cost</h1>
<ul class="facts">${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join('')}</ul><p><code>${escapeHtml(report.command)}</code></p><p>${METHOD}</p>
${report.families.map(section).join('\n')}</body></html>
`;
}
