/** Formats numbers and text for the page. */

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');

/** Three significant digits with k, M, G. */
export function compact(value: number): string {
  if (!Number.isFinite(value)) return '–';
  for (const [unit, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= unit * 0.9995) return `${(value / unit).toPrecision(3).replace(/\.0+$/, '')} ${letter}`;
  }
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** Microseconds, or milliseconds from 10,000 µs on. */
export function microseconds(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 10_000) return `${(value / 1000).toPrecision(3)} ms`;
  return value >= 1000 ? `${(value / 1000).toFixed(1)} ms` : `${value.toFixed(0)} µs`;
}

export function bytes(value: number): string {
  if (value >= 1 << 20) return `${(value / (1 << 20)).toFixed(0)} MB`;
  return value >= 1024 ? `${Math.round(value / 1024)} KB` : `${value} B`;
}

export const ratio = (value: number): string => `${value >= 10 ? value.toFixed(0) : value.toPrecision(2)}×`;
