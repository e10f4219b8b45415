/** How the process groups grow: the cost of a merge, and of a message beside many groups. */
import { availableParallelism, cpus } from 'node:os';
import { type ExchangeFigures, exchangeFigures, type GroupSizes } from './exchange-cost.ts';
import { type MessageFigures, messageFigures } from './message-cost.ts';

const EXCHANGES: readonly GroupSizes[] = [
  { daemons: 3, groups: 1_000, clientsPerDaemon: 100, memberships: 10_000 },
  { daemons: 3, groups: 10_000, clientsPerDaemon: 1_000, memberships: 100_000 },
  { daemons: 3, groups: 100_000, clientsPerDaemon: 3_334, memberships: 200_000 },
];
const GROUPS_BESIDE = [10, 1_000, 10_000, 100_000] as const;
/** The promise: a merge of this size takes less than this of one core. */
const PROMISED_GROUPS = 10_000;
const PROMISED_MS = 1_000;

const number = (value: number): string => value.toLocaleString('en');
const row = (cells: readonly string[], widths: readonly number[]): string =>
  cells.map((cell, i) => cell.padStart(widths[i])).join(' | ');

/** @returns whether the promises held */
export function printGroupGrowth(): boolean {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, node ${process.version}`);
  const holds = printExchanges();
  printMessages();
  return holds;
}

function printExchanges(): boolean {
  console.log(
    '\nmerge of two daemons with a third, all groups on both sides; milliseconds of the busiest daemon, worst of three',
  );
  const head = [
    'groups',
    'clients',
    'memberships',
    'bytes',
    'GROUPS packets',
    'exchange ms',
    'longest call',
    'views',
    'delivery ms',
    'whole',
    'partition ms',
  ];
  const widths = head.map((title) => Math.max(title.length, 7));
  console.log(row(head, widths));
  let holds = true;
  for (const sizes of EXCHANGES) {
    const f: ExchangeFigures = exchangeFigures(sizes);
    const wholeMs = f.groupsMs + f.deliveryMs;
    if (sizes.groups === PROMISED_GROUPS) holds = wholeMs < PROMISED_MS;
    const ms = [f.groupsMs, f.longestMs].map((value) => value.toFixed(0));
    const after = [f.deliveryMs, wholeMs, f.partitionMs].map((value) => value.toFixed(0));
    const counts = [sizes.groups, sizes.daemons * sizes.clientsPerDaemon, f.memberships, f.tableBytes, f.packets];
    console.log(row([...counts.map(number), ...ms, number(f.views), ...after], widths));
  }
  console.log(
    'exchange: tables written, read and merged, views written to the log; delivery: one view for each local member',
  );
  console.log('law: all of it grows with groups + memberships');
  console.log(
    `promise: below ${number(PROMISED_MS)} ms of one core with ${number(PROMISED_GROUPS)} groups: ${holds ? 'kept' : 'BROKEN'}`,
  );
  return holds;
}

function printMessages(): void {
  console.log(
    '\ncost of an ordered message, microseconds of the daemon from the ring to the socket, by the number of groups beside',
  );
  const head = ['groups', 'message to one of ten groups', 'to all groups in turn', 'join and leave'];
  const widths = head.map((title) => Math.max(title.length, 7));
  console.log(row(head, widths));
  const all: MessageFigures[] = messageFigures(GROUPS_BESIDE);
  for (const f of all)
    console.log(row([number(f.groups), ...[f.sameUs, f.allUs, f.churnUs].map((us) => us.toFixed(2))], widths));
  console.log('law: constant; messages to ever other groups find their table in memory, no longer in the caches');
}
