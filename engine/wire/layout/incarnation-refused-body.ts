/**
 * Body of INCARNATION_REFUSED (ring-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | hash (16 bytes, cluster and configuration)                    |   0
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | refused (incarnation, 48 bits)                                |  16
 * |                               +-------------------------------+
 * |                               | remembered                    |  20
 * +-------------------------------+                               +
 * |                                                               |  24
 * +---------------------------------------------------------------+
 * | wait ms (all ones: while that incarnation is a member)        |  28
 * +---------------------------------------------------------------+
 * ```
 */
export const INCARNATION_REFUSED_HASH_OFFSET = 0;
export const INCARNATION_REFUSED_REFUSED_OFFSET = 16;
export const INCARNATION_REFUSED_REMEMBERED_OFFSET = 22;
export const INCARNATION_REFUSED_WAIT_MS_OFFSET = 28;
export const INCARNATION_REFUSED_LENGTH = 32;
