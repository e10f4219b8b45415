/**
 * The ticket that a daemon gives for a sealed command. Only this daemon reads it.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | number (48 bits)                                              |   0
 * |                               +-------------------------------+
 * |                               | mac (HMAC-SHA256, cut)        |   4
 * +-------------------------------+                               +
 * |                                                               |   8
 * |                                                               |  12
 * +---------------------------------------------------------------+
 * ```
 */
export const COMMAND_TICKET_NUMBER_OFFSET = 0;
export const COMMAND_TICKET_MAC_OFFSET = 6;
export const COMMAND_TICKET_LENGTH = 16;
