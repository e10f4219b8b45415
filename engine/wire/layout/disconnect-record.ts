/**
 * A Disconnect record (ring-protocol.md, 8.4). Offsets count from the start of the record.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | member (32 bytes, private name)                               |  24
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * ```
 */
export const DISCONNECT_RECORD_MEMBER_OFFSET = 24;
export const DISCONNECT_RECORD_LENGTH = 56;
