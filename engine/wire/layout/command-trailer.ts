/**
 * What follows a sealed command of a monitor, and the answer to it (client-protocol.md, 10.3). It is not part of data_len.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | key id        | reserved (0)  | attempt                       |   0
 * +---------------+---------------+                               +
 * |                                                               |   4
 * +---------------------------------------------------------------+
 * | ticket (16 bytes, zeros: asks for one)                        |   8
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | mac (16 bytes, HMAC-SHA256 of everything before)              |  24
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * ```
 */
export const COMMAND_TRAILER_KEY_ID_OFFSET = 0;
export const COMMAND_TRAILER_RESERVED_OFFSET = 1;
export const COMMAND_TRAILER_ATTEMPT_OFFSET = 2;
export const COMMAND_TRAILER_TICKET_OFFSET = 8;
export const COMMAND_TRAILER_MAC_OFFSET = 24;
export const COMMAND_TRAILER_LENGTH = 40;
