/**
 * The checks of a daemon, in one table: `skein check`, the alerting rules of Prometheus (ops/prometheus/skein.rules.yml),
 * and docs/monitoring.md are made of this table.
 */

/** Of one daemon: the sum, or the highest, of a metric's time series; what it rose in the last five minutes where `increase` says so. */
export interface CheckTerm {
  readonly metric: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly by: 'sum' | 'max';
  readonly increase?: true;
}

export interface Check {
  /** For the command line. The alert of `token-losses` is called SkeinTokenLosses. */
  readonly name: string;
  readonly value: CheckTerm;
  /** The value is divided by this; a part of nothing is 0. */
  readonly of?: CheckTerm;
  readonly trouble: 'above' | 'below';
  /** Beyond these there is trouble; null: never. */
  readonly warning: number | null;
  readonly critical: number | null;
  /** How long before Prometheus raises the alert. */
  readonly forMinutes: number;
  readonly unit: 'count' | 'part' | 'seconds' | 'flag';
  /** What it means, as a sentence without its end. */
  readonly meaning: string;
  /** What to do. */
  readonly advice: string;
}

/** The window of an increase. */
export const CHECK_WINDOW_MINUTES = 5;

const gauge = (metric: string, by: CheckTerm['by'] = 'sum'): CheckTerm => ({ metric, by });
const increase = (metric: string): CheckTerm => ({ metric, by: 'sum', increase: true });

type Judged = Pick<Check, 'trouble' | 'warning' | 'critical' | 'forMinutes' | 'unit'>;
const flag = (severity: 'warning' | 'critical', trouble: Check['trouble'] = 'below'): Judged => {
  const limit = trouble === 'below' ? 1 : 0;
  const isWarning = severity === 'warning';
  return {
    trouble,
    warning: isWarning ? limit : null,
    critical: isWarning ? null : limit,
    forMinutes: 1,
    unit: 'flag',
  };
};
const count = (warning: number | null, critical: number | null, forMinutes = 0): Judged => ({
  trouble: 'above',
  warning,
  critical,
  forMinutes,
  unit: 'count',
});
const part = (warning: number, critical: number | null, forMinutes = 5): Judged => ({
  trouble: 'above',
  warning,
  critical,
  forMinutes,
  unit: 'part',
});

export const CHECKS: readonly Check[] = [
  {
    name: 'up',
    value: { metric: 'up', labels: { job: 'skein' }, by: 'max' },
    ...flag('critical'),
    meaning: 'the daemon does not answer over HTTP',
    advice: 'Look whether its process runs and what its log says last; check address and token.',
  },
  {
    name: 'alive',
    value: gauge('skein_alive', 'max'),
    ...flag('critical'),
    meaning: 'an agent of the daemon has stopped running',
    advice: 'Take its log and restart it: it cannot recover by itself.',
  },
  {
    name: 'ready',
    value: gauge('skein_ready', 'max'),
    ...flag('critical'),
    meaning: 'the daemon does not serve: it starts, drains, or its membership is changing',
    advice: '/readyz has the reason. A membership that keeps changing: see docs/operations.md.',
  },
  {
    name: 'members-absent',
    value: gauge('skein_members_absent', 'max'),
    ...count(0, null, 1),
    meaning: 'daemons of the configuration are not in the ring',
    advice: 'Look at those daemons and the network between them; the dashboard names them.',
  },
  {
    name: 'membership-changes',
    value: increase('skein_ring_membership_changes_total'),
    ...count(3, 10),
    meaning: 'the membership of daemons keeps changing',
    advice: 'Look for a daemon that comes and goes, an overloaded machine, or a network that loses packets.',
  },
  {
    name: 'token-losses',
    value: increase('skein_ring_token_losses_total'),
    ...count(2, 10),
    meaning: 'the token of the ring got lost',
    advice: 'Look for packet loss and for machines that stand still (skein_ring_pauses_total).',
  },
  {
    name: 'retransmissions',
    value: increase('skein_ring_requests_sent_total'),
    of: increase('skein_ring_packets_received_total'),
    ...part(0.05, 0.25),
    meaning: 'many packets have to be sent again',
    advice: 'Look for a lossy network and for receive buffers of the kernel that are too small.',
  },
  {
    name: 'sessions',
    value: gauge('skein_delivery_sessions_open'),
    of: gauge('skein_max_sessions', 'max'),
    ...part(0.8, 0.95),
    meaning: 'the sessions are near MaxSessions',
    advice: 'Raise MaxSessions and the limit of open files, or spread clients over daemons.',
  },
  {
    name: 'slow-sessions',
    value: gauge('skein_sessions_slow', 'max'),
    ...count(0, 10, 1),
    meaning: 'clients do not read what they are sent',
    advice: 'docs/slow-consumers.md; "skein top" names them.',
  },
  {
    name: 'slow-consumers-ended',
    value: increase('skein_delivery_slow_consumers_ended_total'),
    ...count(0, 10),
    meaning: 'sessions were ended because their clients read too slowly',
    advice: 'docs/slow-consumers.md; "skein events" names them.',
  },
  {
    name: 'messages-dropped',
    value: increase('skein_delivery_messages_dropped_total'),
    ...count(0, null),
    meaning: 'UNRELIABLE messages were not given to slow clients',
    advice: 'docs/slow-consumers.md.',
  },
  {
    name: 'queued-bytes',
    value: gauge('skein_delivery_queued_bytes'),
    of: gauge('skein_max_queued_bytes', 'max'),
    ...part(0.5, 0.9, 1),
    meaning: 'what waits for slow clients is near MaxQueuedBytes, where sessions are ended',
    advice: 'docs/slow-consumers.md; "skein top" names the clients.',
  },
  {
    name: 'log-full',
    value: increase('skein_ring_log_full_total'),
    ...count(1000, null, 5),
    meaning: 'the ring waits for room in the ordered log: clients cannot be served as fast as messages come',
    advice: 'More delivery workers, or fewer messages; see docs/performance.md.',
  },
  {
    name: 'event-loop-delay',
    value: { metric: 'skein_event_loop_delay_seconds', labels: { percentile: '99' }, by: 'max' },
    trouble: 'above',
    warning: 0.1,
    critical: 1,
    forMinutes: 5,
    unit: 'seconds',
    meaning: 'the main thread of the daemon gets the processor too late',
    advice: 'The machine is overloaded, or stands still at times; look at its processor time and memory.',
  },
  {
    name: 'thread-answers',
    value: gauge('skein_thread_answer_seconds', 'max'),
    trouble: 'above',
    warning: 0.25,
    critical: 1,
    forMinutes: 5,
    unit: 'seconds',
    meaning: 'a worker thread takes long to answer a question',
    advice: 'The machine is overloaded; look at its processor time and at skein_thread_active_seconds_total.',
  },
  {
    name: 'open-files',
    value: gauge('skein_process_open_fds', 'max'),
    of: gauge('skein_process_max_fds', 'max'),
    ...part(0.8, 0.95),
    meaning: 'the open files are near the limit of the process',
    advice: 'Raise the limit (LimitNOFILE=, ulimit -n): each session needs one.',
  },
  {
    name: 'accept-errors',
    value: increase('skein_delivery_accept_errors_total'),
    ...count(null, 0),
    meaning: 'connections of clients could not be accepted',
    advice: 'Out of file descriptors or memory: the log has the error.',
  },
  {
    name: 'datagrams-unsent',
    value: increase('skein_network_sends_failed_total'),
    ...count(0, 100),
    meaning: 'the machine did not send datagrams of the ring',
    advice: 'docs/operations.md, "Datagrams that are not sent".',
  },
  {
    name: 'datagrams-dropped',
    value: increase('skein_network_datagrams_dropped_total'),
    ...count(0, 1000),
    meaning: "datagrams found the ring agent's queue full",
    advice: 'The ring agent gets too little processor time; look at the machine and the threading mode.',
  },
  {
    name: 'other-configuration',
    value: increase('skein_network_other_configuration_total'),
    ...count(0, null),
    meaning: 'a daemon with another configuration sends to this one',
    advice: 'Give all daemons of the cluster the same configuration.',
  },
  {
    name: 'identity-conflicts',
    value: increase('skein_network_identity_conflicts_total'),
    ...count(null, 0),
    meaning: 'two machines run the same entry of the configuration',
    advice: 'Stop one of them.',
  },
  {
    name: 'seals-refused',
    value: increase('skein_ring_seals_refused_total'),
    ...count(0, 1000),
    meaning: 'sealed datagrams of daemons were not believed',
    advice: 'Look whether all daemons have the same keys; otherwise somebody forges or repeats datagrams.',
  },
  {
    name: 'records-refused',
    value: increase('skein_ring_records_refused_total'),
    ...count(null, 0),
    meaning: 'records in the order made no sense',
    advice: 'A daemon of the cluster is faulty or forged: the log names it.',
  },
  {
    name: 'partitioned',
    value: gauge('skein_network_partitioned', 'max'),
    ...flag('warning', 'above'),
    meaning: 'a monitor has partitioned the network',
    advice: '"skein monitor heal" ends it.',
  },
  {
    name: 'passwords-wrong',
    value: increase('skein_delivery_passwords_wrong_total'),
    ...count(100, 10_000),
    meaning: 'many logins have a wrong password',
    advice: 'Somebody guesses passwords, or a client has an old one; the log has addresses.',
  },
  {
    name: 'handshakes-crowded-out',
    value: increase('skein_delivery_handshakes_crowded_out_total'),
    ...count(0, 1000),
    meaning: 'connections were ended before they were sessions, because there were MaxHandshakes',
    advice: 'Somebody opens connections and does not go on, or many clients connect at once.',
  },
  {
    name: 'log-lines-lost',
    value: increase('skein_supervisor_log_lines_lost_total'),
    ...count(0, null),
    meaning: 'lines of the log could not be written',
    advice: 'Make room on the disk of the log.',
  },
];

export type Verdict = 'ok' | 'warning' | 'critical' | 'unknown';

export interface Thresholds {
  readonly warning: number | null;
  readonly critical: number | null;
}

/** @param value null: not known */
export function judge(value: number | null, trouble: Check['trouble'], { warning, critical }: Thresholds): Verdict {
  if (value === null) return 'unknown';
  const isBeyond = (limit: number | null): boolean =>
    limit !== null && (trouble === 'above' ? value > limit : value < limit);
  if (isBeyond(critical)) return 'critical';
  return isBeyond(warning) ? 'warning' : 'ok';
}
