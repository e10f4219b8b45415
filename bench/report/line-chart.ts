/** A line chart as inline SVG, without script, readable at the width of a phone. */
import { escapeHtml } from './format.ts';

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly dash: string;
  /** In ascending order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axis {
  readonly title: string;
  readonly scale: 'linear' | 'log';
  /** Default: the chart chooses them. */
  readonly ticks?: readonly (readonly [value: number, label: string])[];
  readonly format: (value: number) => string;
}

export interface LineChart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 440;
const HEIGHT = 300;
const LEFT = 54;
const RIGHT = 24;
const TOP = 28;
const BOTTOM = 44;

interface Scale {
  at(value: number): number;
  readonly ticks: readonly (readonly [value: number, label: string])[];
}

function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  const decades = Math.log10(high / low);
  const steps = decades > 3 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

function linearTicks(high: number): number[] {
  const rough = high / 5;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((candidate) => candidate >= rough) ?? rough;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
}

function makeScale(axis: Axis, values: readonly number[], from: number, to: number): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && (axis.scale === 'linear' || value > 0));
  const highest = Math.max(...usable);
  const lowest = Math.min(...usable);
  const span = to - from;
  if (axis.scale === 'linear') {
    const high = highest * 1.06;
    const ticks = axis.ticks ?? linearTicks(high).map((tick) => [tick, axis.format(tick)] as const);
    return { at: (value) => from + (value / high) * span, ticks: ticks.filter(([tick]) => tick <= high) };
  }
  const low = axis.ticks === undefined ? lowest / 1.3 : lowest;
  const high = axis.ticks === undefined ? highest * 1.3 : Math.max(highest, low * 1.001);
  const width = Math.log(high / low);
  const ticks = axis.ticks ?? logTicks(low, high).map((tick) => [tick, axis.format(tick)] as const);
  const at = (value: number): number => from + (Math.log(Math.max(value, low) / low) / width) * span;
  return { at, ticks: ticks.filter(([tick]) => tick <= high * 1.001) };
}

const number = (value: number): string => value.toFixed(1);

function drawSeries(series: Series, x: Scale, y: Scale): string {
  const points = series.points.filter(([, value]) => Number.isFinite(value));
  if (points.length === 0) return '';
  const path = points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${number(x.at(px))} ${number(y.at(py))}`).join('');
  const dots =
    points.length > 8
      ? ''
      : points.map(([px, py]) => `<circle cx="${number(x.at(px))}" cy="${number(y.at(py))}" r="3"/>`).join('');
  const dash = series.dash === '' ? '' : ` stroke-dasharray="${series.dash}"`;
  return `<g fill="${series.colour}"><title>${escapeHtml(series.name)}</title><path d="${path}" fill="none" stroke="${series.colour}" stroke-width="2"${dash}/>${dots}</g>`;
}

function drawLegend(series: readonly Series[]): string {
  const items = series.map((one) => {
    const dash = one.dash === '' ? '' : ` stroke-dasharray="${one.dash}"`;
    return `<span><svg viewBox="0 0 26 8" width="26" height="8" aria-hidden="true"><path d="M1 4H25" stroke="${one.colour}" stroke-width="2.5"${dash}/></svg>${escapeHtml(one.name)}</span>`;
  });
  return `<div class="legend">${items.join('')}</div>`;
}

/** The chart with caption and legend; empty without points. */
export function drawLineChart(chart: LineChart): string {
  const series = chart.series.filter((one) => one.points.some(([, value]) => Number.isFinite(value)));
  if (series.length === 0) return '';
  const all = series.flatMap((one) => one.points);
  const x = makeScale(
    chart.x,
    all.map(([value]) => value),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = makeScale(
    chart.y,
    all.map(([, value]) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  const gridX = x.ticks.map(
    ([value, label]) =>
      `<path class="grid" d="M${number(x.at(value))} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${number(x.at(value))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeHtml(label)}</text>`,
  );
  const gridY = y.ticks.map(
    ([value, label]) =>
      `<path class="grid" d="M${LEFT} ${number(y.at(value))}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${number(y.at(value) + 4)}" text-anchor="end">${escapeHtml(label)}</text>`,
  );
  const titles = `<text class="axis" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(chart.x.title)}</text><text class="axis" x="4" y="14">${escapeHtml(chart.y.title)}</text>`;
  const lines = series.map((one) => drawSeries(one, x, y)).join('');
  return `<figure><figcaption>${escapeHtml(chart.title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(chart.title)}">${gridX.join('')}${gridY.join('')}${titles}${lines}</svg>${drawLegend(series)}</figure>`;
}
