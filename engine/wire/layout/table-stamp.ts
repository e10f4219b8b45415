/**
 * A daemon in a group table, and the configuration that it was last in step with (ring-protocol.md, 8.4). `kind` is 0 for a
 * regular one, 1 for a transitional one.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+---------------+---------------+
 * | node (node index)             | kind          | ring seq      |   0
 * +-------------------------------+---------------+               +
 * |                                               | leader        |   4
 * +-----------------------------------------------+               +
 * |               | leader incarnation (48 bits)                  |   8
 * +---------------+                                               +
 * |                                               |                  12
 * +-----------------------------------------------+
 * ```
 */
export const TABLE_STAMP_NODE_OFFSET = 0;
export const TABLE_STAMP_KIND_OFFSET = 2;
export const TABLE_STAMP_RING_SEQ_OFFSET = 3;
export const TABLE_STAMP_LEADER_OFFSET = 7;
export const TABLE_STAMP_LEADER_INCARNATION_OFFSET = 9;
export const TABLE_STAMP_LENGTH = 15;
