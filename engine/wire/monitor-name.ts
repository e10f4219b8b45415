/**
 * How a client asks its daemon for its state, over the client port (client-protocol.md, 12): a message to the private name
 * `#skein#DAEMON`, which no client can have. The daemon takes it out of what the client sends, and answers with messages from that name.
 */
import { type PrivateName, privateName } from './ids.ts';

export const MONITOR_USER = 'skein';
export const monitorName = (daemon: string): PrivateName => privateName(MONITOR_USER, daemon);

/**
 * Target of what daemons say to each other about a trace, in the order of messages. No session has it, and nobody can join it, so no client
 * receives any of it. The sender is the daemon's `monitorName`, which no client can have.
 */
export const TRACE_TARGET = '#skein';

/** Message types of answers: a part of a document with more to come, and its last part. */
export const ANSWER_PART_TYPE = -32_001;
export const ANSWER_LAST_TYPE = -32_002;
/** Of the data of a request. */
export const MAX_MONITOR_REQUEST_BYTES = 4096;
/** Of the data of one message of an answer. */
export const MAX_ANSWER_PART_BYTES = 64 * 1024;

/** Why a request is refused. */
export const MONITOR_REFUSALS = ['bad-request', 'not-allowed', 'busy', 'too-long', 'unavailable'] as const;
export type MonitorRefusal = (typeof MONITOR_REFUSALS)[number];
