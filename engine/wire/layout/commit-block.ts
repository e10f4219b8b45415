/**
 * What the members of one old ring hold, in a COMMIT (ring-protocol.md, 8.2). Behind the bitmap: u16 count and node indices of `obliged`.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | old ring (16 bytes, ring id)                                  |   0
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | stable (48 bits)                                              |  16
 * |                               +-------------------------------+
 * |                               | high (48 bits)                |  20
 * +-------------------------------+                               +
 * |                                                               |  24
 * +-------------------------------+-------------------------------+
 * | missing length (bytes)        | missing (bitmap) ...          |  28
 * +-------------------------------+-------------------------------+
 * ```
 */
export const COMMIT_BLOCK_OLD_RING_OFFSET = 0;
export const COMMIT_BLOCK_STABLE_OFFSET = 16;
export const COMMIT_BLOCK_HIGH_OFFSET = 22;
export const COMMIT_BLOCK_MISSING_LENGTH_OFFSET = 28;
export const COMMIT_BLOCK_FIXED_LENGTH = 30;
