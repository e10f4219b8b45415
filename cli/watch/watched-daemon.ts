/** A daemon that commands watch, over HTTP (http-daemon.ts) or the client port (port-daemon.ts). */
import type { Status } from '../../daemon/http/status-types.ts';
import type { ProbeResult, ServiceName } from '../../daemon/trace/trace-types.ts';
import { CliError } from '../exit.ts';

/** No answer, or none in time. */
export class NoAnswer extends CliError {}

export interface StreamedEvent {
  /** Number of the event; empty: not an event. */
  readonly id: string;
  /** `hello`, which comes first, or the kind of the event. */
  readonly kind: string;
  /** JSON. */
  readonly data: string;
}

export interface ProbeQuestion {
  readonly group: string;
  readonly service: ServiceName;
  /** How long the daemon waits for it. */
  readonly timeoutMs: number;
}

export interface WatchedDaemon {
  /** Its address, for messages: `http://127.0.0.1:4880/`. */
  readonly label: string;
  /** @throws (rejects) NoAnswer, or CliError when the daemon refuses */
  status(): Promise<Status>;
  /** Follows the events. Ends when the daemon ends the stream, or `signal` aborts. @throws (rejects) as `status` */
  events(after: string, signal: AbortSignal): AsyncGenerator<StreamedEvent>;
  /**
   * Follows what passes in a group, as events of kind `traced`. @param hasData with the beginning of contents
   * @throws (rejects) as `status`
   */
  trace(group: string, hasData: boolean, signal: AbortSignal): AsyncGenerator<StreamedEvent>;
  /** Sends a probe, and tells its way. @throws (rejects) as `status` */
  probe(wish: ProbeQuestion): Promise<ProbeResult>;
  /** Closes the connection. */
  close(): Promise<void>;
}

/** Time that a daemon takes beyond that of a probe, to ask the others. */
export const PROBE_SLACK_MS = 5000;
/** The status of a thousand sessions takes half a megabyte. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
