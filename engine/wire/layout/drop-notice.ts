/**
 * Data of the message that tells a client how many UNRELIABLE messages it missed, little-endian and saturating (client-protocol.md, 7.4).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | dropped (since the last notice)                               |   0
 * +---------------------------------------------------------------+
 * | total (in all)                                                |   4
 * +---------------------------------------------------------------+
 * ```
 */
export const DROP_NOTICE_DROPPED_OFFSET = 0;
export const DROP_NOTICE_TOTAL_OFFSET = 4;
export const DROP_NOTICE_DATA_LENGTH = 8;
