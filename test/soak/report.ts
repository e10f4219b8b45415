import type { DaemonCounts } from './daemon-child.ts';
import type { SoakOptions, SoakResult } from './soak.ts';

const MIB = 1024 * 1024;
const count = (value: number): string => Math.round(value).toLocaleString('en-US');
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

const countsText = (counts: DaemonCounts | null): string =>
  counts === null ? 'no answer' : `${count(counts.sessions)}, ${count(counts.groups)}`;

const nothingLeft = ({ counts }: SoakResult): boolean =>
  counts === null || (counts.rest !== null && counts.rest.sessions === 0 && counts.rest.groups === 0);

/** No property violated, flat memory, and a daemon that has forgotten everybody. */
export const passed = (result: SoakResult): boolean => {
  const { failure, memory, tally } = result;
  return (
    failure === null && tally.epochs > 0 && tally.violations === 0 && memory?.flat !== false && nothingLeft(result)
  );
};

export function reportJson(options: SoakOptions, result: SoakResult): string {
  const { tally, ...rest } = result;
  const { traffic, properties, epochs, checkingMs } = tally;
  return JSON.stringify({ passed: passed(result), options, ...rest, epochs, checkingMs, traffic, properties }, null, 2);
}

/** The figures for a reader. */
export function reportText(options: SoakOptions, result: SoakResult): string {
  const { tally, lengthMs, memory, counts, warnings, recentLog, failure, threadingMode } = result;
  const { traffic } = tally;
  const seconds = lengthMs / 1000;
  const rate = (value: number): string => `${count(value)}  (${count(value / seconds)}/s)`;
  const rows: (readonly [string, string])[] = [
    ['clients, groups, seed', `${options.clients}, ${options.groups}, ${options.seed}`],
    ['threading mode', threadingMode],
    ['length', `${seconds.toFixed(1)} s in ${tally.epochs} epochs`],
    ['messages sent', rate(traffic.sent)],
    ['deliveries', rate(traffic.delivered)],
    ['delivered data', `${mib(traffic.deliveredBytes)}  (${mib(traffic.deliveredBytes / seconds)}/s)`],
    ['joins, leaves', `${count(traffic.joins)}, ${count(traffic.leaves)}`],
    ['kills, cut connections', `${count(traffic.closes)}, ${count(traffic.crashes)}`],
    ['sessions', count(traffic.connects)],
    ['views', `${count(traffic.views)}, received ${count(traffic.viewsReceived)} times`],
    ['ticks without sends, machine behind', count(traffic.throttledTicks)],
    [
      'slowest connect, longest driver stall',
      `${count(traffic.slowestConnectMs)} ms, ${count(traffic.longestStallMs)} ms`,
    ],
    ['time spent checking', `${(tally.checkingMs / 1000).toFixed(1)} s`],
  ];
  if (memory !== null) {
    const grown = memory.lastQuarterBytes - memory.firstQuarterBytes;
    rows.push(
      ['peak resident memory', mib(memory.peakBytes)],
      ['first, last quarter (medians)', `${mib(memory.firstQuarterBytes)}, ${mib(memory.lastQuarterBytes)}`],
      ['growth, allowed', `${mib(grown)}, ${mib(memory.allowedBytes)}`],
      ['slope', `${mib(memory.slopePerMinute)} per minute`],
      ['minute by minute, MiB', memory.minuteBytes.map((bytes) => (bytes / MIB).toFixed(0)).join(' ')],
      ['after all have gone', mib(memory.restBytes)],
      ['memory', memory.flat === null ? 'too short a run to judge' : memory.flat ? 'flat' : 'GROWS'],
    );
  }
  if (counts !== null) {
    rows.push(
      ['daemon: sessions, groups at the end', countsText(counts.loaded)],
      ['daemon: when all have gone', countsText(counts.rest)],
      ['daemon: warnings logged', String(warnings.length)],
    );
  }
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => name.padEnd(width) + value);
  lines.push('', 'property  checked         violations');
  for (const { property, title, checked, violations } of tally.properties)
    lines.push(`${property.padEnd(8)}  ${count(checked).padStart(13)}  ${String(violations).padStart(6)}  ${title}`);
  for (const { property, examples } of tally.properties)
    for (const example of examples) lines.push(`${property} violated in ${example}`);
  if (failure !== null) for (const line of recentLog) lines.push(`daemon: ${line}`);
  for (const warning of warnings) lines.push(`daemon logged: ${warning}`);
  if (failure !== null) lines.push('', `ended early: ${failure}`);
  lines.push('', passed(result) ? 'passed' : 'FAILED');
  return lines.join('\n');
}
