/**
 * Body of a Groups record: one part of a group table (ring-protocol.md, 4.3 and 8.4).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | ring seq (of the configuration)                               |   0
 * +-------------------------------+-------------------------------+
 * | leader (node index)           | leader incarnation (48 bits)  |   4
 * +-------------------------------+                               +
 * |                                                               |   8
 * +---------------------------------------------------------------+
 * | part (from 0)                                                 |  12
 * +---------------------------------------------------------------+
 * | part count                                                    |  16
 * +---------------------------------------------------------------+
 * | table (this part of it) ...                                   |  20
 * +---------------------------------------------------------------+
 * ```
 */
export const GROUPS_RING_SEQ_OFFSET = 0;
export const GROUPS_LEADER_OFFSET = 4;
export const GROUPS_LEADER_INCARNATION_OFFSET = 6;
export const GROUPS_PART_OFFSET = 12;
export const GROUPS_PART_COUNT_OFFSET = 16;
export const GROUPS_HEADER_LENGTH = 20;
