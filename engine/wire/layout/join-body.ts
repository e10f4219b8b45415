/**
 * Body of a JOIN (ring-protocol.md, 8.2). Behind the ring ids of `merge`: u16 count and node indices of `failed`, u16 count and members
 * of `hears`.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | hash (16 bytes, cluster and configuration)                    |   0
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | attempt                                                       |  16
 * +---------------------------------------------------------------+
 * | max ring seq                                                  |  20
 * +---------------------------------------------------------------+
 * | old ring (16 bytes, ring id)                                  |  24
 * |                              ...                              |
 * +---------------+-----------------------------------------------+
 * | merge count   | merge (ring ids) ...                          |  40
 * +---------------+-----------------------------------------------+
 * ```
 */
export const JOIN_HASH_OFFSET = 0;
export const JOIN_ATTEMPT_OFFSET = 16;
export const JOIN_MAX_RING_SEQ_OFFSET = 20;
export const JOIN_OLD_RING_OFFSET = 24;
export const JOIN_MERGE_COUNT_OFFSET = 40;
export const JOIN_FIXED_LENGTH = 41;
