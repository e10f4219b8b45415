/** Sizes and limits of the Spread 4 client protocol (client-protocol.md, sections 0 and 7). Lengths in bytes. */
import { FRAME_HEADER_LENGTH } from './layout/frame-header.ts';

export const DEFAULT_PORT = 4803;

/** Version announced to clients: the protocol is that of Spread 4.4.0. */
export const PROTOCOL_VERSION = { major: 4, minor: 4, patch: 0 } as const;

/** Longest private (connection) name, without NUL. */
export const MAX_PRIVATE_NAME_LENGTH = 10;
/** Longest daemon name, without NUL. */
export const MAX_DAEMON_NAME_LENGTH = 19;
/** Width of every name field on the wire. */
export const NAME_FIELD_LENGTH = 32;
/** Longest group name, without NUL. */
export const MAX_GROUP_NAME_LENGTH = 31;

export const AUTH_NAME_FIELD_LENGTH = 30;
export const MAX_AUTH_METHODS = 3;

export const MAX_GROUPS_PER_MESSAGE = 100;
/** Nominal limit of the original: data + 32 bytes for each group. */
export const MAX_MESSAGE_BODY_LENGTH = 144_000;
/** What a daemon accepts: data + 32 bytes for each group (section 7.2, check 6). */
export const MAX_DAEMON_BODY_LENGTH = MAX_MESSAGE_BODY_LENGTH - FRAME_HEADER_LENGTH;
/** What a client may send to any Spread 4 daemon without ending it (section 7.3). */
export const MAX_CLIENT_BODY_LENGTH = 143_152;
/** Longest frame a daemon accepts. */
export const MAX_FRAME_LENGTH = FRAME_HEADER_LENGTH + MAX_DAEMON_BODY_LENGTH;

/**
 * Longest membership frame, which no limit on messages applies to: lengths on the wire are signed 32-bit. Every name of a view of
 * 33 million members fits, twice.
 */
export const MAX_MEMBERSHIP_FRAME_LENGTH = 2 ** 31 - 1;

/** More targets than this are silently delivered to nobody by the original daemon (section 6). */
export const SPREAD_DAEMON_WORKING_TARGETS = 43;

/** First and last byte allowed in group and private names. */
export const MIN_NAME_BYTE = 0x24;
export const MAX_NAME_BYTE = 0x7e;
/** `#`, first byte and separator of private group names. */
export const PRIVATE_NAME_MARK = 0x23;
