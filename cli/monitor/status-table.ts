import { grouped, table } from '../text.ts';
import type { DaemonStatus } from './ask-status.ts';
import type { RingReport, StatusReport } from './status-protocol.ts';

const HEADINGS = [
  'daemon',
  'state',
  'leader',
  'members',
  'sessions',
  'busy',
  'slow',
  'queued',
  'groups',
  'messages',
  'msg/s',
  'retrans',
  'rounds',
  'foreign',
  'refused',
  'unsent',
  'up',
  'release',
];

const MEBIBYTE = 1024 * 1024;

/** What is known of every daemon; `earlier` is the last look, for rates. */
export function statusTable(statuses: readonly DaemonStatus[], earlier: readonly DaemonStatus[]): string {
  const rows = statuses.map((status, i) => {
    const { report } = status;
    const name = `${status.name} ${status.address}:${status.port}`;
    if (report === null) return [name, 'no answer'];
    return [name, ...cells(report, earlier[i]?.report ?? null, membersText(report, statuses))];
  });
  return table([HEADINGS, ...rows]);
}

function cells(report: StatusReport, earlier: StatusReport | null, members: string): string[] {
  const { ring } = report;
  return [
    stateText(report),
    report.leader,
    members,
    String(report.sessions),
    ring === null ? '' : grouped(ring.handshakesCrowdedOut + ring.passwordsBusy),
    ring === null ? '' : grouped(ring.slowConsumersEnded),
    ring === null ? '' : `${grouped(Math.ceil(ring.queuedBytes / MEBIBYTE))} MiB`,
    String(report.groups),
    grouped(report.messagesDelivered),
    earlier === null ? '' : messageRate(report, earlier),
    grouped(report.retransmissions),
    grouped(report.tokenRounds),
    ring === null ? '' : grouped(ring.otherConfiguration + ring.otherVersion),
    ring === null ? '' : grouped(ring.sealsRefused + ring.otherSeal),
    ring === null ? '' : grouped(unsent(ring)),
    uptime(report.uptimeSeconds),
    ring === null ? `Spread ${report.version}` : (ring.release ?? ''),
  ];
}

/** Datagrams that the daemon's machine did not send, for any reason. */
const unsent = (ring: RingReport): number =>
  ring.sendsUnreachable +
  ring.sendsForbidden +
  ring.sendsTooLong +
  ring.sendsWrongAddress +
  ring.sendsNoBuffers +
  ring.sendsFailedOtherwise;

function stateText({ state, groupsState, ring }: StatusReport): string {
  const text = groupsState === 'operational' || state !== 'operational' ? state : groupsState;
  return ring?.partitioned === 1 ? `${text}, partitioned` : text;
}

/** Longer lists are told by their length. */
const MOST_NAMES = 5;

/** The daemons in a daemon's ring: by name when the whole configuration was asked, else how many. */
function membersText({ ring, daemons }: StatusReport, statuses: readonly DaemonStatus[]): string {
  if (ring === null || statuses.length === 1 || ring.members.length > MOST_NAMES) return String(daemons);
  const isOf = (address: string) => (status: DaemonStatus) => (status.report?.daemon ?? status.address) === address;
  return ring.members.map((address) => statuses.find(isOf(address))?.name ?? address).join(' ');
}

/** Empty when the daemon was started anew, or too little time went by. */
function messageRate(report: StatusReport, earlier: StatusReport): string {
  const elapsed = report.uptimeSeconds - earlier.uptimeSeconds;
  // The counter has 32 bits and wraps; so does this difference.
  const messages = (report.messagesDelivered - earlier.messagesDelivered) >>> 0;
  return elapsed < 1 ? '' : grouped(messages / elapsed);
}

/** `3d 4:05:06`. */
export function uptime(totalSeconds: number): string {
  const days = Math.floor(totalSeconds / 86_400);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${Math.floor(totalSeconds / 3600) % 24}:${two(Math.floor(totalSeconds / 60) % 60)}:${two(totalSeconds % 60)}`;
  return days > 0 ? `${days}d ${time}` : time;
}
