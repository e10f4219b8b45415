/** What agents know of traced messages (docs/monitoring.md, "Tracing"). Plain data. Times are of the machine's monotonic clock, milliseconds. */

/** Something that passed in a traced group, at its place in the order of this daemon. */
export type TracedEvent =
  | {
      readonly kind: 'message';
      readonly at: number;
      /** Number of the record at this daemon, since its start. */
      readonly record: number;
      /** Of the ring. */
      readonly ringSeq: number;
      /** Index of the daemon that it came from. */
      readonly origin: number;
      readonly sender: string;
      /** Bits of the service. */
      readonly service: number;
      /** The sender's message type. */
      readonly type: number;
      /** Of the data. */
      readonly bytes: number;
      /** Targets, this group among them. */
      readonly targets: number;
      /** In base64, at most `MAX_TRACED_DATA_BYTES` of it; null: not asked for. */
      readonly data: string | null;
    }
  | {
      readonly kind: 'join' | 'leave' | 'disconnect';
      readonly at: number;
      readonly record: number;
      readonly ringSeq: number;
      readonly origin: number;
      readonly member: string;
      /** After it. */
      readonly members: number;
    }
  | {
      /** Members came or went with their daemons. */
      readonly kind: 'network';
      readonly at: number;
      readonly record: number;
      readonly ringSeq: number;
      readonly members: number;
      readonly membersBefore: number;
    };

export const MAX_TRACED_DATA_BYTES = 1024;

/** One visit of the token. */
export interface TokenVisit {
  readonly hop: number;
  readonly at: number;
  /** As the token brought them: highest sequence number, all received up to, and by whose word (node index). */
  readonly seq: number;
  readonly aru: number;
  readonly holder: number;
}

export interface Standstill {
  readonly from: number;
  readonly to: number;
}

/** What one daemon's ring agent remembers about one packet. Null: it does not. */
export interface FlightReport {
  readonly ringSeq: number;
  readonly receivedAt: number | null;
  readonly stableAt: number | null;
  readonly deliveredAt: number | null;
  readonly visits: readonly TokenVisit[];
  /** Times that the daemon did not run, the last ones. */
  readonly standstills: readonly Standstill[];
}

/** The packet that a probe of this daemon went into. */
export interface ProbePacket {
  readonly id: number;
  readonly ringSeq: number;
  readonly seq: number;
  readonly at: number;
  /** Hop of the token's last visit before the probe was submitted. */
  readonly hopBefore: number;
  /** Visits of the token from then on, with the one that took the probe. */
  readonly visits: number;
}

/** A member of the traced group that has something waiting. */
export interface WaitingReceiver {
  readonly name: string;
  readonly waitingBytes: number;
  readonly behindMs: number;
}

/** The members of the traced group at one delivery worker, when the probe came. */
export interface Receivers {
  readonly count: number;
  readonly waitingBytes: number;
  /** Those with most waiting. */
  readonly slowest: readonly WaitingReceiver[];
}
