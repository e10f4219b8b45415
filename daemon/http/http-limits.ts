/** Limits of HTTP (docs/limits.md). Few clients are expected: a browser or two, Prometheus, a load balancer, commands. */

export const MAX_CONNECTIONS = 128;
/** Of one address that is not this machine. */
export const MAX_CONNECTIONS_OF_ADDRESS = 32;
/** Of these, streams of events. */
export const MAX_STREAMS = 32;
/** The request line and all header lines of a request. */
export const MAX_HEADER_BYTES = 8192;
export const HEADERS_TIMEOUT_MS = 5000;
/** Between requests of one connection. */
export const KEEP_ALIVE_MS = 15_000;
/** Without any progress of a connection. */
export const STUCK_MS = 30_000;
/** Unread bytes at which a stream is ended. */
export const MAX_STREAM_BYTES = 256 * 1024;
/** Streams say something at least this often, so that both ends notice when the other is gone. */
export const STREAM_BEAT_MS = 10_000;
/** Membership changes and slow consumers that are remembered. */
export const MAX_EVENTS = 100;
/** Of the token file. */
export const MAX_TOKENS = 16;
export const MIN_TOKEN_CHARS = 16;
export const MAX_TOKEN_CHARS = 256;
