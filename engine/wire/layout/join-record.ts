/**
 * A Join record, and a Leave record, which may end before the flags (ring-protocol.md, 8.4). Offsets count from the start of the record.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | group (32 bytes)                                              |  24
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | member (32 bytes, private name)                               |  56
 * |                              ...                              |
 * +---------------+-----------------------------------------------+
 * | flags         |                                                  88
 * +---------------+
 * ```
 */
export const JOIN_RECORD_GROUP_OFFSET = 24;
export const JOIN_RECORD_MEMBER_OFFSET = 56;
export const JOIN_RECORD_FLAGS_OFFSET = 88;
export const JOIN_RECORD_LENGTH = 89;
