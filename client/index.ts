/**
 * The client library alone, without the daemon and its dependencies. See docs/client.md.
 *
 * @module skein/client
 */

export type { DaemonAddress } from './address.ts';
export { connect } from './connect.ts';
export type { ConnectOptions } from './connect-options.ts';
export * from './everywhere.ts';
export type {
  FlushEvent,
  FlushMessage,
  FlushRequest,
  FlushSelfLeave,
  FlushTransition,
  FlushView,
} from './flush/flush-events.ts';
export { FlushSession, type FlushSessionEvents, type FlushSessionOptions } from './flush/flush-session.ts';
export type { FlushSendOptions } from './flush/flush-state.ts';
export type { TlsOptions } from './tls-options.ts';
