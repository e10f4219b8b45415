/**
 * What agents tell the thread that started the daemon for those who look at it, and what it has them do for these: requests over the client
 * port and their answers. Plain data that travels between threads; never on the path of messages.
 */
import type { SessionHandle } from '../../engine/wire/ids.ts';

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

export type WatchReport = StateRequest | StateEnd;

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

export type WatchOrder = StateAnswer;
