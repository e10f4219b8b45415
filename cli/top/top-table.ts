/** What `skein top` prints. */
import type { EndedStatus, SessionStatus, Status } from '../../daemon/http/status-types.ts';
import { compact, compactly, printable, table } from '../text.ts';

/** A session, with what this machine knows about its connection. */
export interface TopSession extends SessionStatus {
  /** Milliseconds; null: unknown. */
  readonly roundTripMs: number | null;
}

type Sort = (session: TopSession) => number | string;

/** Keys to sort by; numbers are sorted from high to low. */
export const SORT_KEYS: Readonly<Record<string, Sort>> = {
  waiting: ({ waitingBytes }) => waitingBytes,
  messages: ({ waitingMessages }) => waitingMessages,
  behind: ({ behindMs }) => behindMs,
  in: ({ rates }) => rates?.messagesIn ?? 0,
  out: ({ rates }) => rates?.messagesOut ?? 0,
  'bytes-in': ({ rates }) => rates?.bytesIn ?? 0,
  'bytes-out': ({ rates }) => rates?.bytesOut ?? 0,
  rtt: ({ roundTripMs }) => roundTripMs ?? -1,
  idle: ({ idleMs }) => idleMs,
  open: ({ openMs }) => openMs,
  groups: ({ groups }) => groups,
  dropped: ({ droppedMessages }) => droppedMessages,
  held: ({ timesHeld }) => timesHeld,
  name: ({ name }) => name,
};

export function sorted(sessions: readonly TopSession[], key: string): readonly TopSession[] {
  const of = SORT_KEYS[key]!;
  return sessions.toSorted((a, b) => {
    const [left, right] = [of(a), of(b)];
    if (typeof left === 'string' || typeof right === 'string') return String(left) < String(right) ? -1 : 1;
    return right - left || (a.name < b.name ? -1 : 1);
  });
}

const HEADINGS = [
  'client',
  'from',
  'waiting',
  'msgs',
  'behind',
  'in/s',
  'out/s',
  'B out/s',
  'rtt',
  'idle',
  'groups',
  '',
];
const TEXT_COLUMNS = [0, 1, 11];
const ENDED_HEADINGS = ['ended', 'when', 'lasted', 'waiting', 'why'];

export function topText(status: Status, sessions: readonly TopSession[], limit: number, endedLimit: number): string {
  const { daemon, ring, health } = status;
  const present = ring.members.filter(({ isPresent }) => isPresent).length;
  const state = health.ready ? 'ready' : `not ready: ${health.reason}`;
  const head = `${daemon.name}: ${state}, ring of ${present}/${ring.members.length}, ${compactly(status.sessions.count, 'client')}, ${compactly(status.groups.count, 'group')}`;
  const rows = sessions.slice(0, limit).map(sessionRow);
  const left = status.sessions.count - rows.length;
  const ended = status.ended.slice(-endedLimit).reverse().map(endedRow);
  return [
    head,
    '',
    rows.length === 0 ? 'no client is connected' : table([HEADINGS, ...rows], TEXT_COLUMNS),
    ...(left > 0 && rows.length > 0 ? [`and ${compact(left)} more`] : []),
    ...(ended.length === 0 ? [] : ['', table([ENDED_HEADINGS, ...ended], [0, 1, 4])]),
  ].join('\n');
}

function sessionRow(session: TopSession): string[] {
  const { name, peer, waitingBytes, waitingMessages, behindMs, rates, roundTripMs, idleMs, groups, isSlow, isHeld } =
    session;
  return [
    printable(name),
    peer,
    compact(waitingBytes),
    compact(waitingMessages),
    behindMs === 0 ? '-' : time(behindMs),
    rates === null ? '-' : compact(rates.messagesIn),
    rates === null ? '-' : compact(rates.messagesOut),
    rates === null ? '-' : compact(rates.bytesOut),
    roundTripMs === null ? '-' : `${roundTripMs.toPrecision(2)}ms`,
    time(idleMs),
    compact(groups),
    [...(isSlow ? ['slow'] : []), ...(isHeld ? ['held'] : [])].join(' '),
  ];
}

const endedRow = ({ name, endedAt, lastedMs, waitingBytes, reason }: EndedStatus): string[] => [
  printable(name),
  new Date(endedAt).toISOString(),
  time(lastedMs),
  compact(waitingBytes),
  printable(reason),
];

/** `0.3s`, `45s`, `12m`, `5h`, `3d`. */
function time(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 120) return `${Math.round(seconds)}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}
