/**
 * A group in a group table, behind its name, which is a u8 length and bytes (ring-protocol.md, 8.4). `proc id`, `time` and `index` are
 * its group id. `members` is a varint count, then for each member, in rising order, a varint difference of its number to the one before;
 * the first counts from -1. A varint has seven bits a byte, lowest first.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | proc id                                                       |   0
 * +---------------------------------------------------------------+
 * | time                                                          |   4
 * +---------------------------------------------------------------+
 * | index                                                         |   8
 * +---------------+-----------------------------------------------+
 * | changed       | members ...                                   |  12
 * +---------------+-----------------------------------------------+
 * ```
 */
export const TABLE_GROUP_PROC_ID_OFFSET = 0;
export const TABLE_GROUP_TIME_OFFSET = 4;
export const TABLE_GROUP_INDEX_OFFSET = 8;
export const TABLE_GROUP_CHANGED_OFFSET = 12;
export const TABLE_GROUP_HEADER_LENGTH = 13;
