/**
 * A group id: which view of a group it is (client-protocol.md, 5.2 and 5.4). Signed numbers.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | membership (IPv4 of the daemon that led its forming)          |   0
 * +---------------------------------------------------------------+
 * | time (seconds, of that membership)                            |   4
 * +---------------------------------------------------------------+
 * | index (from 1)                                                |   8
 * +---------------------------------------------------------------+
 * ```
 */
export const VIEW_ID_MEMBERSHIP_OFFSET = 0;
export const VIEW_ID_TIME_OFFSET = 4;
export const VIEW_ID_INDEX_OFFSET = 8;
export const VIEW_ID_LENGTH = 12;
