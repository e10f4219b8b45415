/**
 * The group table of a state exchange, assembled from its parts (ring-protocol.md, 8.4): stamps of its daemons, then a u32 count of members and the
 * members, then a u32 count of groups and the groups.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | hash high                                                     |   0
 * +---------------------------------------------------------------+
 * | hash low                                                      |   4
 * +-------------------------------+-------------------------------+
 * | daemon count                  | stamps ...                    |   8
 * +-------------------------------+-------------------------------+
 * ```
 */
export const EXCHANGE_TABLE_HASH_HIGH_OFFSET = 0;
export const EXCHANGE_TABLE_HASH_LOW_OFFSET = 4;
export const EXCHANGE_TABLE_DAEMON_COUNT_OFFSET = 8;
export const EXCHANGE_TABLE_HEADER_LENGTH = 10;
