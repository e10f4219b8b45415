/** What `skein trace` shows, with the names of the daemons in place. Documented in docs/monitoring.md, "Tracing". */
import type { Receivers } from '../../workers/watch/trace-reports.ts';

export type ServiceName = 'unreliable' | 'reliable' | 'fifo' | 'causal' | 'agreed' | 'safe';

interface Place {
  /** Milliseconds since 1970, by the clock of the daemon that is asked. */
  readonly at: number;
  /** Where it is in the order of that daemon: number of the ring, and of the record since the daemon's start. */
  readonly position: { readonly ringSeq: number; readonly record: number };
}

/** Something that passed in the group. */
export type TraceEvent =
  | (Place & {
      readonly kind: 'message';
      /** The daemon of its sender. */
      readonly daemon: string;
      readonly sender: string;
      readonly service: ServiceName;
      readonly type: number;
      readonly bytes: number;
      readonly targets: number;
      /** In base64, the first 1,024 bytes; null: not asked for. */
      readonly data: string | null;
    })
  | (Place & {
      readonly kind: 'join' | 'leave' | 'disconnect';
      readonly daemon: string;
      readonly member: string;
      readonly members: number;
    })
  | (Place & { readonly kind: 'network'; readonly members: number; readonly membersBefore: number })
  | { readonly kind: 'missed'; readonly count: number };

/** When a probe was where at one daemon: milliseconds since it was requested; null: not known. */
export interface ProbeAtDaemon {
  readonly daemon: string;
  /** Whether the daemon told of it. */
  readonly answered: boolean;
  /** How far its clock, as it was compared, may be off: milliseconds; 0 for the daemon that is asked. */
  readonly clockErrorMs: number | null;
  /** It had the probe and all before it. */
  readonly receivedMs: number | null;
  /** It knew that all daemons had it: from then on a SAFE message is delivered. */
  readonly stableMs: number | null;
  readonly orderedMs: number | null;
  /** Its delivery workers had come to it. */
  readonly deliveredMs: number | null;
  /** Members of the group there, and what waits for them. */
  readonly receivers: Receivers | null;
  /** The longest time that the daemon did not run while the probe was on its way. */
  readonly stoodStillMs: number;
}

/** `submit`: the queue to the ring was full. `queue`: behind other messages of the submitter, which flow control held. */
export type HoldCause =
  | 'submit'
  | 'queue'
  | 'token'
  | 'aru'
  | 'standstill'
  | 'membership'
  | 'silent'
  | 'delivery'
  | 'receiver';

export interface Hold {
  readonly cause: HoldCause;
  /** A daemon, or the private name of a slow receiver. */
  readonly who: string;
  readonly ms: number;
  /** A sentence for people. */
  readonly why: string;
}

export interface ProbeResult {
  readonly kind: 'probe';
  readonly id: number;
  readonly group: string;
  readonly service: ServiceName;
  /** Where it was submitted. */
  readonly daemon: string;
  /** Milliseconds since 1970, when it was requested. */
  readonly at: number;
  /** Delivered at the daemon that is asked, or not within the time. */
  readonly outcome: 'delivered' | 'timeout';
  readonly submittedMs: number | null;
  /** A packet of the ring was numbered; null also in a ring of one, which has no packets. */
  readonly sequencedMs: number | null;
  readonly packet: { readonly ringSeq: number; readonly seq: number } | null;
  /** What was in the submit queue before it. */
  readonly queuedBytes: number | null;
  /** Visits of the token until it was sent. */
  readonly tokenVisits: number | null;
  readonly daemons: readonly ProbeAtDaemon[];
  /** Longest first. */
  readonly holds: readonly Hold[];
  /** The one that held it back most; null: nobody did. */
  readonly heldBy: Hold | null;
}
