/** A report as one self-contained HTML page: no script, no network, charts as inline SVG. */
import { plural } from '../../engine/plural.ts';
import { SUBJECT } from '../peers/all-systems.ts';
import type { Report } from '../report-schema.ts';
import { drawBars } from './bars.ts';
import { bytes, compact, escapeHtml, microseconds, ratio } from './format.ts';
import { plotSections } from './plots.ts';
import { STYLE } from './style.ts';
import { advantage, type Cell, summarise } from './summary.ts';
import { cellsTable, guaranteesTable, runsTable } from './tables.ts';
import { isThreadingMode } from './variants.ts';

/** A joined report has several commands. */
function commands(command: string): string {
  const lines = command.split('; ').map((line) => `<p><code>${escapeHtml(line)}</code></p>`);
  if (lines.length === 1) return lines[0]!;
  return `<details><summary>Measured in ${lines.length} parts</summary>${lines.join('')}</details>`;
}

function facts(report: Report): string {
  const { machine } = report;
  const minutes = Math.max(1, Math.round(report.durationSeconds / 60));
  const items = [
    `${report.createdAt.slice(0, 16).replace('T', ' ')} UTC`,
    `commit ${report.commit}`,
    `${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes).replace(/(\d+) MB/, (_, mb) => `${Math.round(Number(mb) / 1024)} GB`)}`,
    `${machine.kernel}, ${machine.distribution}`,
    `Node ${machine.node}`,
    `load before: ${machine.loadAverageBefore.toFixed(2)}`,
    `${report.runs.length} ${plural(report.runs.length, 'run')} of ${report.measureSeconds} s after ${report.warmUpSeconds} s of warm-up (latencies: ${report.latencyWarmUpSeconds} s), ${minutes} min in all`,
  ];
  return `<ul class="facts">${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>${commands(report.command)}`;
}

/** The first paragraph: a summary in one sentence. */
function opening(cells: readonly Cell[]): string {
  const sentences = cells
    .filter((cell) => cell.system.id === SUBJECT && Number.isFinite(cell.deliveriesPerSecond))
    .filter((cell) => ['one-to-one-64', 'one-to-10', 'latency-1k'].includes(cell.scenario.id))
    .map((subject) => {
      const genuine = cells.find((cell) => cell.scenario.id === subject.scenario.id && cell.system.id === 'spread');
      const better = genuine === undefined ? null : advantage(subject, genuine);
      const compared = better === null ? '' : `, ${ratio(better.ratio)} the genuine Spread daemon in the same run`;
      const figure =
        subject.latency === null
          ? `${compact(subject.deliveriesPerSecond)} deliveries/s`
          : `${microseconds(subject.latency.p50Us)} median, ${microseconds(subject.latency.p99Us)} p99`;
      return `<li>${escapeHtml(subject.scenario.title)}: <b>${figure}</b>${compared}</li>`;
    });
  return sentences.length === 0 ? '' : `<ul>${sentences.join('')}</ul>`;
}

function scenarioCards(report: Report, cells: readonly Cell[]): string {
  const cards = report.scenarios.map((scenario) =>
    drawBars(cells.filter((cell) => cell.scenario.id === scenario.id && !isThreadingMode(cell.system.id))),
  );
  return `<h2>Scenario by scenario</h2><div class="grid-cards">${cards.join('')}</div>`;
}

function threadingModes(report: Report, cells: readonly Cell[]): string {
  const cards = report.scenarios.flatMap((scenario) => {
    const here = cells.filter((cell) => cell.scenario.id === scenario.id);
    if (!here.some((cell) => isThreadingMode(cell.system.id))) return [];
    return drawBars(here.filter((cell) => cell.system.id === SUBJECT || isThreadingMode(cell.system.id)));
  });
  if (cards.length === 0) return '';
  return `<h2>Threading modes side by side</h2><div class="grid-cards">${cards.join('')}</div>`;
}

const METHOD = `
<p>One load generator drives every system: raw TCP sockets with hand-encoded frames, on worker threads of its own, on the same machine as the system under test.
Throughput runs are closed loops: a sender keeps a bounded number of messages under way to the slowest receiver, so that no system's limit for slow consumers decides.
Latency runs are open loops: message k is due at start + k / rate whatever the system does, its due time travels in the payload, and latency counts from there, so a stall delays
every message behind it and cannot hide. Senders leave it to the kernel to join writes into segments, except where a scenario says otherwise and in latency runs. The generator's own lateness is part of that figure and is listed next to it. Receivers check every sequence number; with several senders they also
compare the order they saw. A figure is the median of its runs; ratios compare runs made one after the other.</p>`;

export function renderPage(report: Report): string {
  const cells = summarise(report);
  const plots = plotSections(report, cells).map(
    (section) => `<h2>${escapeHtml(section.title)}</h2><div class="grid-cards">${section.html}</div>`,
  );
  const body = [
    '<h1>skein: speed, and what it comes with</h1>',
    opening(cells),
    facts(report),
    '<h2>What each system promises</h2>',
    `<div class="guarantees">${guaranteesTable(report, cells)}</div>`,
    scenarioCards(report, cells),
    ...plots,
    threadingModes(report, cells),
    '<h2>How it was measured</h2>',
    METHOD,
    '<h2>All figures</h2>',
    cellsTable(cells),
    `<details><summary>Every run (${report.runs.length})</summary>${runsTable(report)}</details>`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>skein benchmark ${escapeHtml(report.createdAt.slice(0, 10))}</title><style>${STYLE}</style></head>
<body>${body.join('\n')}</body></html>
`;
}
