/**
 * GREETING (ring-protocol.md, 8.3). Offsets count from the start of the datagram.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | salt (16 bytes, of the sending incarnation)                   |  40
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | last counter (48 bits)                                        |  56
 * |                               +-------------------------------+
 * |                               | flags (1 asks, 2 answers)     |  60
 * +-------------------------------+-------------------------------+
 * | asked (16 bytes, drawn for this question; else zeros)         |  64
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | answered (16 bytes, what it answers; else zeros)              |  80
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * ```
 */
export const GREETING_SALT_OFFSET = 40;
export const GREETING_LAST_COUNTER_OFFSET = 56;
export const GREETING_FLAGS_OFFSET = 62;
export const GREETING_ASKED_OFFSET = 64;
export const GREETING_ANSWERED_OFFSET = 80;
export const GREETING_LENGTH = 96;
