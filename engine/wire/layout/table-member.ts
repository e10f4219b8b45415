/**
 * A member in a group table (ring-protocol.md, 8.4). Members are numbered from 0 in member order.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * | node (node index)             | session (32 bits)             |   0
 * +-------------------------------+---------------+---------------+
 * |                               | name length   | name ...      |   4
 * +-------------------------------+---------------+---------------+
 * ```
 */
export const TABLE_MEMBER_NODE_OFFSET = 0;
export const TABLE_MEMBER_SESSION_OFFSET = 2;
export const TABLE_MEMBER_NAME_LENGTH_OFFSET = 6;
export const TABLE_MEMBER_HEADER_LENGTH = 7;
