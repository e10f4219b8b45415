/** One scenario as horizontal bars in plain HTML, so that text stays readable on a phone. */
import { SUBJECT } from '../peers/all-systems.ts';
import { lookOf } from './colours.ts';
import { compact, escapeHtml, microseconds, ratio } from './format.ts';
import { advantage, type Cell, decisive } from './summary.ts';

const percent = (share: number): string => `${Math.max(0.4, share * 100).toFixed(1)}%`;

function figureOf(cell: Cell): string {
  if (cell.latency !== null) {
    return `<b>${microseconds(cell.latency.p50Us)}</b> <small>p99 ${microseconds(cell.latency.p99Us)}</small>`;
  }
  const range = cell.runs.length > 1 ? ` <small>${compact(cell.lowest)} to ${compact(cell.highest)}</small>` : '';
  return `<b>${compact(cell.deliveriesPerSecond)}/s</b>${range}`;
}

function relation(cell: Cell, subject: Cell | undefined): string {
  if (subject === undefined || cell === subject) return '';
  const better = advantage(subject, cell);
  if (better === null) return '';
  const { interval } = better;
  const range = interval === null ? '' : ` title="95 % interval ${ratio(interval[0])} to ${ratio(interval[1])}"`;
  const word = cell.latency === null ? 'the speed' : 'as quick';
  return `<small class="relation"${range}>${SUBJECT}: ${ratio(better.ratio)} ${word}</small>`;
}

function row(cell: Cell, subject: Cell | undefined, longest: number): string {
  const name = `<span class="name">${escapeHtml(cell.system.title)}</span>`;
  const value = decisive(cell);
  if (!Number.isFinite(value)) {
    return `<div class="row failed">${name}<span class="why">failed: ${escapeHtml(cell.error ?? 'unknown')}</span></div>`;
  }
  const width = percent(value / longest);
  // Latency bars end at p50; a paler part continues to p99, as far as the scale allows.
  const tail =
    cell.latency === null
      ? ''
      : `<i style="width:${percent(Math.min(1, cell.latency.p99Us / longest))};background:${lookOf(cell.system.id).colour}" class="tail"></i>`;
  return `<div class="row${cell === subject ? ' subject' : ''}">${name}<span class="track">${tail}<i style="width:${width};background:${lookOf(cell.system.id).colour}"></i></span><span class="figure">${figureOf(cell)} ${relation(cell, subject)}</span></div>`;
}

/** Cells of one scenario. */
export function drawBars(cells: readonly Cell[]): string {
  const [first] = cells;
  if (first === undefined) return '';
  const subject = cells.find((cell) => cell.system.id === SUBJECT);
  const known = cells.map(decisive).filter(Number.isFinite);
  const longest = first.latency === null ? Math.max(...known) : Math.max(...known) * 3;
  const unit = cells.some((cell) => cell.latency !== null)
    ? 'median one-way latency; paler: to p99; shorter is better'
    : `deliveries a second${first.scenario.receivers > 1 ? ', all receivers together' : ''}; longer is better`;
  const rows = cells.map((cell) => row(cell, subject, longest)).join('');
  return `<section class="card" id="${escapeHtml(first.scenario.id)}"><h3>${escapeHtml(first.scenario.title)}</h3><p class="unit">${unit}</p>${rows}</section>`;
}
