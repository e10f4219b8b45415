/** Numbers for people. */

const DECIMAL = ['', 'k', 'M', 'G', 'T'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `999`, `1.23k`, `45.6M`. */
export const count = (value: number): string => scaled(value, 1000, DECIMAL, '');

/** `12.3 MiB`. */
export const bytes = (value: number): string => scaled(value, 1024, BINARY, ' ');

function scaled(value: number, base: number, units: readonly string[], gap: string): string {
  let rest = value;
  let power = 0;
  while (rest >= base - 0.5 && power < units.length - 1) {
    rest /= base;
    power++;
  }
  const digits = power === 0 ? String(rest < 10 ? Math.round(rest * 10) / 10 : Math.round(rest)) : rest.toPrecision(3);
  return `${digits}${gap}${units[power]}`;
}

/** `0.35 ms`, `12 ms`, `4.2 s`, `3:05`, `2d 4h`. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(ms === 0 ? 0 : 2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const two = (number: number): string => String(number).padStart(2, '0');
  if (hours < 1) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  if (hours < 48) return `${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `2026-11-27 12:31:44`, in the time of the reader. */
export function time(at: number): string {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
