/**
 * One vs set of a view (client-protocol.md, 5.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | member count                                                  |   0
 * +---------------------------------------------------------------+
 * | names (32 bytes each) ...                                     |   4
 * +---------------------------------------------------------------+
 * ```
 */
export const VS_SET_MEMBER_COUNT_OFFSET = 0;
export const VS_SET_NAMES_OFFSET = 4;
export const VS_SET_FIXED_LENGTH = 4;
