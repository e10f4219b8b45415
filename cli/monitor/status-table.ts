import { grouped, table } from '../text.ts';
import type { DaemonStatus } from './ask-status.ts';
import type { StatusReport } from './status-protocol.ts';

const HEADINGS = [
  'daemon',
  'state',
  'leader',
  'daemons',
  'sessions',
  'groups',
  'messages',
  'msg/s',
  'retrans',
  'rounds',
  'up',
];

/** What is known of every daemon; `earlier` is the last look, for rates. */
export function statusTable(statuses: readonly DaemonStatus[], earlier: readonly DaemonStatus[]): string {
  const rows = statuses.map((status, i) => {
    const { report } = status;
    const name = `${status.name} ${status.address}:${status.port}`;
    return report === null ? [name, 'no answer'] : [name, ...cells(report, earlier[i]?.report ?? null)];
  });
  return table([HEADINGS, ...rows]);
}

function cells(report: StatusReport, earlier: StatusReport | null): string[] {
  return [
    report.groupsState === 'operational' || report.state !== 'operational' ? report.state : report.groupsState,
    report.leader,
    String(report.daemons),
    String(report.sessions),
    String(report.groups),
    grouped(report.messagesDelivered),
    earlier === null ? '' : messageRate(report, earlier),
    grouped(report.retransmissions),
    grouped(report.tokenRounds),
    uptime(report.uptimeSeconds),
  ];
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
