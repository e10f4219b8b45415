/**
 * The end of the `info` that an incarnation's keys are derived with (ring-protocol.md, 8.3).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | epoch                                                         |   0
 * +---------------------------------------------------------------+
 * | incarnation (48 bits)                                         |   4
 * |                               +-------------------------------+
 * |                               | node (node index)             |   8
 * +-------------------------------+-------------------------------+
 * ```
 */
export const KEY_INFO_EPOCH_OFFSET = 0;
export const KEY_INFO_INCARNATION_OFFSET = 4;
export const KEY_INFO_NODE_OFFSET = 10;
export const KEY_INFO_LENGTH = 12;
