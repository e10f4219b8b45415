/**
 * Body of a COMMIT (ring-protocol.md, 8.2). Behind the members: a commit-member for each, u8 count and the commit-blocks.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | hash (16 bytes, cluster and configuration)                    |   0
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | ring (16 bytes, ring id)                                      |  16
 * |                              ...                              |
 * +---------------+-------------------------------+---------------+
 * | pass (1 or 2) | member count                  | members ...   |  32
 * +---------------+-------------------------------+---------------+
 * ```
 */
export const COMMIT_HASH_OFFSET = 0;
export const COMMIT_RING_OFFSET = 16;
export const COMMIT_PASS_OFFSET = 32;
export const COMMIT_MEMBER_COUNT_OFFSET = 33;
export const COMMIT_FIXED_LENGTH = 35;
