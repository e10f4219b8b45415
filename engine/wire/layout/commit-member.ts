/**
 * What a COMMIT says of each of its members, behind their list (ring-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | attempt (its gather)                                          |   0
 * +---------------+-----------------------------------------------+
 * | block         |                                                   4
 * +---------------+
 * ```
 */
export const COMMIT_MEMBER_ATTEMPT_OFFSET = 0;
export const COMMIT_MEMBER_BLOCK_OFFSET = 4;
export const COMMIT_MEMBER_LENGTH = 5;
