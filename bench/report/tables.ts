import type { Report } from '../report-schema.ts';
import { bytes, compact, escapeHtml, microseconds } from './format.ts';
import type { Cell } from './summary.ts';

type Row = readonly string[];

/**
 * A table. On a narrow screen it becomes a list of cards with the headings in front of the cells. Cells are HTML.
 * @param numeric first column of numbers; those before it are the title of a card
 */
export function table(head: Row, rows: readonly Row[], numeric: number): string {
  const cellClass = (column: number): string => (column >= numeric ? ' class="number"' : '');
  const headRow = head.map((text, i) => `<th${cellClass(i)}>${escapeHtml(text)}</th>`).join('');
  const cell = (text: string, i: number): string =>
    `<td${cellClass(i)} data-label="${escapeHtml(head[i] ?? '')}">${text}</td>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${headRow}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

/** What each system guarantees, next to its speed. */
export function guaranteesTable(report: Report, cells: readonly Cell[]): string {
  const speed = (system: string, scenario: string): string => {
    const cell = cells.find((c) => c.system.id === system && c.scenario.id === scenario);
    if (cell === undefined) return '–';
    return cell.latency === null ? `${compact(cell.deliveriesPerSecond)}/s` : microseconds(cell.latency.p50Us);
  };
  const shown = report.scenarios.slice(0, 1).concat(report.scenarios.filter((s) => s.id === 'latency-1k').slice(0, 1));
  const rows = report.systems.map((system) => [
    `<b>${escapeHtml(system.title)}</b><br><small>${escapeHtml(system.available ? system.detail : `not available: ${system.detail}`)}</small>`,
    escapeHtml(system.guarantees.order),
    escapeHtml(system.guarantees.reliability),
    escapeHtml(system.guarantees.membership),
    `<small>${escapeHtml(system.configuration)}</small>`,
    ...shown.map((scenario) => speed(system.id, scenario.id)),
  ]);
  const head = ['system', 'order', 'reliability', 'membership', 'as measured', ...shown.map((s) => s.title)];
  return table(head, rows, 5);
}

const orderCheck = (cell: Cell): string => {
  if (cell.oneOrder === null) return '–';
  return cell.oneOrder ? 'one order' : 'orders differ';
};

export function cellsTable(cells: readonly Cell[]): string {
  const rows = cells.map((cell) => [
    escapeHtml(cell.scenario.title),
    escapeHtml(cell.system.title),
    `${cell.runs.filter((run) => run.metrics !== null).length}`,
    compact(cell.deliveriesPerSecond),
    compact(cell.messagesPerSecond),
    Number.isFinite(cell.megabytesPerSecond) ? cell.megabytesPerSecond.toFixed(1) : '–',
    cell.latency === null ? '–' : microseconds(cell.latency.p50Us),
    cell.latency === null ? '–' : microseconds(cell.latency.p99Us),
    cell.latency === null ? '–' : microseconds(cell.latency.p999Us),
    cell.latency === null
      ? '–'
      : `${microseconds(cell.latency.latenessP50Us)} / ${microseconds(cell.latency.latenessP99Us)}`,
    Number.isFinite(cell.systemCores) ? cell.systemCores.toFixed(2) : '–',
    bytes(cell.peakResidentBytes),
    cell.lost === 0 && cell.disorder === 0 ? 'none' : `${cell.lost} lost, ${cell.disorder} out of order`,
    orderCheck(cell),
  ]);
  const head = [
    'scenario',
    'system',
    'runs',
    'deliveries/s',
    'messages/s',
    'MB/s',
    'p50',
    'p99',
    'p99.9',
    'generator late p50 / p99',
    'cores',
    'memory',
    'lost',
    'order',
  ];
  return table(head, rows, 2);
}

export function runsTable(report: Report): string {
  const rows = report.runs.map((run) => {
    const { metrics } = run;
    return [
      escapeHtml(run.scenario),
      escapeHtml(run.system),
      String(run.repeat),
      run.windowMessages === null ? '–' : String(run.windowMessages),
      run.ratePerSecond === null ? '–' : compact(run.ratePerSecond),
      metrics === null ? escapeHtml(run.error ?? '') : compact(metrics.deliveriesPerSecond),
      metrics?.latency ? microseconds(metrics.latency.p50Us) : '–',
      metrics?.latency ? microseconds(metrics.latency.p99Us) : '–',
      metrics === null ? '–' : metrics.systemCores.toFixed(2),
      metrics === null ? '–' : metrics.generatorCores.toFixed(2),
    ];
  });
  const head = [
    'scenario',
    'system',
    'repeat',
    'window',
    'rate/s',
    'deliveries/s',
    'p50',
    'p99',
    'cores',
    'generator cores',
  ];
  return table(head, rows, 2);
}
