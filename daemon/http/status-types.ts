/** Contents of /status.json and /events: shared with the dashboard and the commands. Plain types, of which nothing remains at run time. */
import type { EndedSession } from '../../workers/daemon-event.ts';
import type { GroupReport, SessionReport } from '../../workers/inspection.ts';

/** One daemon of the configuration, as the daemon that is asked sees it. */
export interface MemberStatus {
  readonly name: string;
  readonly address: string;
  /** In the ring of the daemon that is asked. */
  readonly isPresent: boolean;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  /** It asks its clients to move, or stops: it takes no new ones. */
  readonly isDraining: boolean;
}

/** How a stop went, by the counters of all agents. */
export interface StopReport {
  /** Sessions that their clients ended after they were told that the daemon drains. */
  readonly sessionsMoved: number;
  /** Sessions not told, because the views of their moving did not fit DrainTime. */
  readonly sessionsNotTold: number;
  /** Sessions that were still sending when the time was over. */
  readonly sessionsCut: number;
  /** Bytes of clients that were read and not processed. */
  readonly bytesUnread: number;
  /** Bytes of requests that were processed and not ordered. */
  readonly bytesNotOrdered: number;
  /** Messages that slow clients did not get. */
  readonly messagesNotDelivered: number;
  /** Packets of the ring that were not known to be held by every member. */
  readonly packetsUnstable: number;
}

export interface SessionStatus extends SessionReport {
  /** See docs/slow-consumers.md. */
  readonly isSlow: boolean;
  /** A second, since the last look; null: this is the first look at it. */
  readonly rates: SessionRates | null;
}

export type SessionRates = Pick<SessionReport, 'messagesIn' | 'messagesOut' | 'bytesIn' | 'bytesOut'>;

export type EndedStatus = EndedSession;

export type GroupStatus = GroupReport;

/** What an operator follows, numbered from 1 in each incarnation of a daemon. */
export type LoggedEvent = { readonly id: number; readonly at: number } & (
  | {
      readonly kind: 'membership';
      readonly ringSeq: number;
      readonly members: readonly string[];
      readonly joined: readonly string[];
      readonly left: readonly string[];
    }
  | { readonly kind: 'slow'; readonly session: string; readonly peer: string; readonly waitingBytes: number }
  | { readonly kind: 'recovered'; readonly session: string; readonly peer: string }
  | {
      readonly kind: 'session-ended';
      readonly session: string;
      readonly peer: string;
      readonly cause: string;
      readonly reason: string;
      readonly waitingBytes: number;
      readonly waitingMessages: number;
    }
  | { readonly kind: 'daemon'; readonly what: 'started' | 'draining' }
  | { readonly kind: 'daemon'; readonly what: 'stopped'; readonly report: StopReport }
);

export type EventKind = LoggedEvent['kind'];

/** One second of a daemon. Rates are a second. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly messagesOrdered: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packetsSent: number;
  readonly retransmissions: number;
  readonly tokenRounds: number;
  /** Smoothed time of one rotation of the token, milliseconds; 0 in a ring of one. */
  readonly rotationMs: number;
  /** 99th percentile of the delay of the main thread's event loop, milliseconds. */
  readonly loopDelayMs: number;
  /** Slowest answer of a worker thread to a question, milliseconds; null: none was asked. */
  readonly answerMs: number | null;
  readonly sessions: number;
  readonly groups: number;
  readonly queuedBytes: number;
  readonly members: number;
}

export interface RingStatus {
  /** `operational`, `gather`, `commit`, `recover` or `stopped`. */
  readonly state: string;
  /** `operational`, `transitional`, `gathering` or `gathering-transitional`. */
  readonly groupsState: string;
  readonly ringSeq: number;
  /** Every daemon of the configuration, in its order. */
  readonly members: readonly MemberStatus[];
}

export interface HealthStatus {
  readonly alive: boolean;
  readonly ready: boolean;
  /** Why it is not alive, or not ready; null: it is both. */
  readonly reason: string | null;
}

export interface DaemonInfo {
  readonly name: string;
  readonly release: string;
  readonly node: string;
  readonly threadingMode: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface Status {
  readonly daemon: DaemonInfo & { readonly uptimeSeconds: number };
  readonly health: HealthStatus;
  readonly ring: RingStatus;
  readonly sample: Sample | null;
  readonly limits: {
    readonly maxSessions: number;
    readonly maxSessionMessages: number;
    readonly maxSessionBytes: number;
    readonly maxQueuedBytes: number;
  };
  /** At most a thousand of each delivery worker. */
  readonly sessions: { readonly count: number; readonly list: readonly SessionStatus[] };
  readonly ended: readonly EndedStatus[];
  /** At most a thousand. */
  readonly groups: { readonly count: number; readonly list: readonly GroupStatus[] };
  /** The last hundred, oldest first. */
  readonly events: readonly LoggedEvent[];
  /** What `skein check` judges: value by name of the check; null: not known yet. */
  readonly checks: Readonly<Record<string, number | null>>;
  /** Every counter that a monitor receives. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What a stream of events begins with. */
export interface Hello {
  readonly daemon: DaemonInfo;
  readonly ring: RingStatus;
  readonly health: HealthStatus;
  /** The last two minutes, oldest first; empty without samples. */
  readonly samples: readonly Sample[];
}

/** One sample of a stream, every second. */
export interface Tick {
  readonly sample: Sample;
  readonly ring: RingStatus;
  readonly health: HealthStatus;
}

/** Answer to a reload that was refused: nothing has changed. */
export interface ReloadRefusal {
  readonly refused: true;
  readonly error: string;
  /** Each with file and line, or with the part of the daemon that refused. */
  readonly problems: readonly string[];
}
