/**
 * One request for packets on a TOKEN, behind its bitmap (ring-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | ref (old ring)| attempt       | requester (0xffff: several)   |   0
 * +---------------+---------------+-------------------------------+
 * | from (48 bits)                                                |   4
 * |                               +-------------------------------+
 * |                               | count (packets)               |   8
 * +-------------------------------+-------------------------------+
 * ```
 */
export const TOKEN_REQUEST_REF_OFFSET = 0;
export const TOKEN_REQUEST_ATTEMPT_OFFSET = 1;
export const TOKEN_REQUEST_REQUESTER_OFFSET = 2;
export const TOKEN_REQUEST_FROM_OFFSET = 4;
export const TOKEN_REQUEST_COUNT_OFFSET = 10;
export const TOKEN_REQUEST_LENGTH = 12;
