/**
 * A member of a ring in the bodies of control messages (ring-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * | node (node index)             | incarnation (48 bits)         |   0
 * +-------------------------------+                               +
 * |                                                               |   4
 * +---------------------------------------------------------------+
 * ```
 */
export const RING_MEMBER_NODE_OFFSET = 0;
export const RING_MEMBER_INCARNATION_OFFSET = 2;
export const RING_MEMBER_LENGTH = 8;
