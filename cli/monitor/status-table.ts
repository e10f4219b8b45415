/** The table of `skein monitor`: one line of at most 80 columns for each daemon, then rings and what needs attention. */
import { compact, grouped, table, wrapped } from '../text.ts';
import type { DaemonStatus } from './ask-status.ts';
import type { RingReport, StatusReport } from './status-protocol.ts';

const WIDTH_CHARS = 80;
const SHORTEST_NAME_CHARS = 4;

/** @param earlier the previous statuses, for rates; empty: no rates */
export function statusTable(statuses: readonly DaemonStatus[], earlier: readonly DaemonStatus[]): string {
  const hasRates = earlier.length > 0;
  const headings = ['state', 'clients', 'groups', 'messages', ...(hasRates ? ['msg/s'] : []), 'up', 'release'];
  const rows = statuses.map(({ report }, i) =>
    report === null ? ['no answer'] : cells(report, hasRates, earlier[i]?.report ?? null),
  );
  const others = table([headings, ...rows], [0]).split('\n');
  const room = Math.max(SHORTEST_NAME_CHARS, WIDTH_CHARS - 2 - Math.max(...others.map((line) => line.length)));
  const names = ['daemon', ...statuses.map(({ name }) => shortened(name, room))];
  const nameWidth = Math.max(...names.map((name) => name.length));
  const lines = others.map((line, i) => `${names[i]!.padEnd(nameWidth)}  ${line}`);
  const below = [...ringLines(statuses), ...statuses.flatMap(noteOf)];
  return [...lines, ...(below.length === 0 ? [] : ['', ...below])].join('\n');
}

const shortened = (name: string, room: number): string => (name.length <= room ? name : `${name.slice(0, room - 1)}…`);

function cells(report: StatusReport, hasRates: boolean, earlier: StatusReport | null): string[] {
  const { ring } = report;
  return [
    stateText(report),
    compact(report.sessions & 0xffff),
    compact(report.groups & 0xffff),
    compact(report.messagesDelivered >>> 0),
    ...(hasRates ? [earlier === null ? '' : messageRate(report, earlier)] : []),
    uptime(report.uptimeSeconds),
    ring === null ? `Spread ${report.version}` : (ring.release ?? ''),
  ];
}

/** After the ring has formed, its daemons still exchange the state of groups. */
const stateText = ({ state, groupsState, ring }: StatusReport): string => {
  if (ring?.draining === 1) return 'draining';
  return groupsState === 'operational' || state !== 'operational' ? state : 'exchange';
};

/** One line for each ring that a daemon reports. Two lines mean two partitions, or a change in progress. */
function ringLines(statuses: readonly DaemonStatus[]): readonly string[] {
  const nameOf = (address: string): string =>
    statuses.find((status) => (status.report?.daemon ?? status.address) === address)?.name ?? address;
  const lines = statuses.flatMap(({ report }) => {
    if (report === null) return [];
    const { ring, daemons, leader } = report;
    const members = ring === null ? '' : `: ${ring.members.map(nameOf).join(' ')}`;
    const number = ring === null ? '' : ` ${ring.ringSequence}`;
    return [
      wrapped(`ring${number} of ${daemons}, led by ${nameOf(leader)}${members}`, WIDTH_CHARS, '', '  ').join('\n'),
    ];
  });
  return [...new Set(lines)];
}

/** What needs attention at a daemon, if anything. */
function noteOf({ name, address, port, report }: DaemonStatus): readonly string[] {
  const notes = report === null ? [`no answer at ${address}:${port}`] : attention(report);
  return notes.length === 0 ? [] : wrapped(`${name}: ${notes.join(', ')}`, WIDTH_CHARS, '', '  ');
}

function attention({ ring, groupsState, retransmissions }: StatusReport): readonly string[] {
  const counts: readonly (readonly [string, number])[] = [
    ['retransmitted', retransmissions >>> 0],
    ...(ring === null ? [] : ringCounts(ring)),
  ];
  return [
    ...(ring?.partitioned === 1 ? ['partitioned by a monitor'] : []),
    ...(groupsState === 'operational' ? [] : [`groups ${groupsState}`]),
    ...(ring === null || ring.queuedBytes === 0 ? [] : [`queued ${compact(ring.queuedBytes)}B`]),
    ...counts.filter(([, count]) => count > 0).map(([word, count]) => `${word} ${grouped(count)}`),
  ];
}

const ringCounts = (ring: RingReport): readonly (readonly [string, number])[] => [
  ['foreign', ring.otherConfiguration + ring.otherVersion],
  ['refused', ring.sealsRefused + ring.otherSeal],
  ['unsent', unsent(ring)],
  ['slow', ring.slowConsumersEnded],
  ['busy', ring.handshakesCrowdedOut + ring.passwordsBusy],
];

/** Datagrams that were not sent, for any reason. */
const unsent = (ring: RingReport): number =>
  ring.sendsUnreachable +
  ring.sendsForbidden +
  ring.sendsTooLong +
  ring.sendsWrongAddress +
  ring.sendsNoBuffers +
  ring.sendsFailedOtherwise;

/** Empty when the daemon was restarted, or less than a second has passed. */
function messageRate(report: StatusReport, earlier: StatusReport): string {
  const elapsed = report.uptimeSeconds - earlier.uptimeSeconds;
  // The counter wraps at 32 bits, and so does this difference.
  const messages = (report.messagesDelivered - earlier.messagesDelivered) >>> 0;
  return elapsed < 1 ? '' : compact(messages / elapsed);
}

/** `4:05:06`, from a day on `3d 4h`. */
export function uptime(totalSeconds: number): string {
  const days = Math.floor(totalSeconds / 86_400);
  const hours = Math.floor(totalSeconds / 3600) % 24;
  const two = (value: number): string => String(value).padStart(2, '0');
  return days > 0
    ? `${days}d ${hours}h`
    : `${hours}:${two(Math.floor(totalSeconds / 60) % 60)}:${two(totalSeconds % 60)}`;
}
