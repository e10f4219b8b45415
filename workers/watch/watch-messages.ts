/**
 * What agents tell the thread that started the daemon for those who look at it, and what it has them do for these: requests over the client
 * port and their answers. Plain data that travels between threads; never on the path of messages.
 */
import type { SessionHandle } from '../../engine/wire/ids.ts';
import type { FlightReport, ProbePacket, Receivers, TracedEvent } from './trace-reports.ts';

/** A request of a client for the daemon's state. Its right is checked, and it is the only one of its session. */
export interface StateRequest {
  readonly kind: 'monitor-request';
  readonly worker: number;
  readonly session: SessionHandle;
  /** Private name of the client. */
  readonly client: string;
  /** Chosen by the client; in every answer. */
  readonly id: number;
  /** What the client sent: an object of JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The client ended its request, or its session is over. */
export interface StateEnd {
  readonly kind: 'monitor-end';
  readonly session: SessionHandle;
}

/** What passed in the traced group. */
export interface TracedReport {
  readonly kind: 'traced';
  readonly id: number;
  readonly events: readonly TracedEvent[];
  /** Left out, because there were too many. */
  readonly missed: number;
}

export interface ProbePacketReport extends ProbePacket {
  readonly kind: 'probe-packet';
}

/** Answers `submit`. */
export interface SubmittedReport {
  readonly kind: 'submitted';
  readonly token: number;
  readonly askedAt: number;
  readonly submittedAt: number;
  /** What was in the queue before it. */
  readonly queuedBytes: number;
}

/** A daemon's message to the daemons of its ring about a trace came in the order; this daemon's own among them. */
export interface HeardReport {
  readonly kind: 'heard';
  readonly worker: number;
  readonly at: number;
  /** Name of the daemon. */
  readonly from: string;
  /** JSON. */
  readonly text: string;
  /** Of the group that a probe is for; null: it is no probe. */
  readonly receivers: Receivers | null;
}

/** Answers `flight`. */
export interface FlightAnswer {
  readonly kind: 'flight';
  readonly token: number;
  readonly flight: FlightReport;
}

export type WatchReport =
  | StateRequest
  | StateEnd
  | TracedReport
  | ProbePacketReport
  | SubmittedReport
  | HeardReport
  | FlightAnswer;

/** One document for a client that asked. */
export interface StateAnswer {
  readonly kind: 'monitor-answer';
  readonly session: SessionHandle;
  /** Of the request. */
  readonly id: number;
  /** JSON. */
  readonly text: string;
  /** The request is done with it. */
  readonly isLast: boolean;
  /** Of a stream: left out, and counted for the client, while too much waits for it. */
  readonly mayBeMissed: boolean;
}

/** Has a delivery worker send text to the daemons of the ring, as a client would. */
export interface SubmitOrder {
  readonly kind: 'submit';
  readonly token: number;
  /** Bit of the service. */
  readonly service: number;
  /** JSON. */
  readonly text: string;
}

/** Has the ring agent tell what passes in a group; `group` null: no more. */
export interface TraceOrder {
  readonly kind: 'trace';
  readonly id: number;
  readonly group: string | null;
  readonly hasData: boolean;
}

/** Has the ring agent await the packet of a probe, whose data has the mark. */
export interface ProbeOrder {
  readonly kind: 'probe';
  readonly id: number;
  readonly mark: string;
}

/** Requests what the ring agent remembers about a packet. */
export interface FlightOrder {
  readonly kind: 'flight';
  readonly token: number;
  readonly ringSeq: number;
  readonly seq: number;
  readonly fromHop: number;
}

export type WatchOrder = StateAnswer | SubmitOrder | TraceOrder | ProbeOrder | FlightOrder;
