/**
 * The data of a view; a transitional message has the group id only (client-protocol.md, 5.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | id (view-id)                                                  |   0
 * |                                                               |   4
 * |                                                               |   8
 * +---------------------------------------------------------------+
 * | set count                                                     |  12
 * +---------------------------------------------------------------+
 * | own set (offset relative to `sets`)                           |  16
 * +---------------------------------------------------------------+
 * | sets ...                                                      |  20
 * +---------------------------------------------------------------+
 * ```
 */
export const VIEW_ID_OFFSET = 0;
export const VIEW_SET_COUNT_OFFSET = 12;
export const VIEW_OWN_SET_OFFSET = 16;
export const VIEW_SETS_OFFSET = 20;
export const VIEW_FIXED_LENGTH = 20;
