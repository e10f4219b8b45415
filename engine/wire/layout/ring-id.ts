/**
 * Identity of a ring in the bodies of control messages (ring-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | seq                                                           |   0
 * +-------------------------------+-------------------------------+
 * | leader (node index)           | leader incarnation (48 bits)  |   4
 * +-------------------------------+                               +
 * |                                                               |   8
 * +---------------------------------------------------------------+
 * | 0                                                             |  12
 * +---------------------------------------------------------------+
 * ```
 */
export const RING_ID_SEQ_OFFSET = 0;
export const RING_ID_LEADER_OFFSET = 4;
export const RING_ID_LEADER_INCARNATION_OFFSET = 6;
export const RING_ID_LENGTH = 16;
