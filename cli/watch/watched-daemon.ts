/** A daemon that commands watch, over HTTP (http-daemon.ts) or the client port (port-daemon.ts). */
import type { Status } from '../../daemon/http/status-types.ts';
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

export interface WatchedDaemon {
  /** Its address, for messages: `http://127.0.0.1:4880/`. */
  readonly label: string;
  /** @throws (rejects) NoAnswer, or CliError when the daemon refuses */
  status(): Promise<Status>;
  /** Follows the events. Ends when the daemon ends the stream, or `signal` aborts. @throws (rejects) as `status` */
  events(after: string, signal: AbortSignal): AsyncGenerator<StreamedEvent>;
  /** Closes the connection. */
  close(): Promise<void>;
}

/** The status of a thousand sessions takes half a megabyte. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
