/** Medians with the lowest and the highest run. */
import type { Cell } from './summary.ts';

const UNITS = [
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
] as const;

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** `6.33 M (5.20–6.56)`: the range in the unit of the median. */
export function speedText({ deliveriesPerSecond, lowest, highest, runs }: Cell): string {
  const [unit, letter] = UNITS.find(([one]) => deliveriesPerSecond >= one * 0.9995) ?? [1, ''];
  const median = `${digits(deliveriesPerSecond / unit)} ${letter}`.trimEnd();
  return runs.length < 2 ? median : `${median} (${digits(lowest / unit)}–${digits(highest / unit)})`;
}

/** Three significant digits. */
const microseconds = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en-US');

/** `75.2 (69.7–77.6)`: one percentile, in microseconds. */
export function latencyText({ latency, runs }: Cell, pick: 'p50Us' | 'p99Us'): string {
  if (latency === null) return '–';
  const all = runs.flatMap((run) => run.metrics?.latency?.[pick] ?? []);
  const middle = microseconds(latency[pick]);
  return all.length < 2 ? middle : `${middle} (${microseconds(Math.min(...all))}–${microseconds(Math.max(...all))})`;
}
