/**
 * What follows a sealed datagram between daemons (ring-protocol.md, 8.3). Everything before the tag is authenticated with the header.
 * In a GREETING the counter is 0, and the tag is an HMAC-SHA256 cut to 16 bytes.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | key id        | reserved (0)  | to (node index, 0xffff: any)  |   0
 * +---------------+---------------+-------------------------------+
 * | mark (first bytes of the salt of the incarnation)              |   4
 * |                               +-------------------------------+
 * |                               | counter (from 1)              |   8
 * +-------------------------------+                               +
 * |                                                               |  12
 * +---------------------------------------------------------------+
 * | tag (16 bytes, AES-256-GCM)                                   |  16
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * ```
 */
export const SEAL_TRAILER_KEY_ID_OFFSET = 0;
export const SEAL_TRAILER_RESERVED_OFFSET = 1;
export const SEAL_TRAILER_TO_OFFSET = 2;
export const SEAL_TRAILER_MARK_OFFSET = 4;
export const SEAL_TRAILER_COUNTER_OFFSET = 10;
export const SEAL_TRAILER_TAG_OFFSET = 16;
export const SEAL_TRAILER_LENGTH = 32;
