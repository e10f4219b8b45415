/**
 * The header of a message frame (client-protocol.md, 2.1). `hint` is in the byte order of the originating client, the other numbers in
 * that of the writer of the frame.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | type                                                          |   0
 * +---------------------------------------------------------------+
 * | sender (32 bytes, name)                                       |   4
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | group count (num_groups)                                      |  36
 * +---------------------------------------------------------------+
 * | hint                                                          |  40
 * +---------------------------------------------------------------+
 * | data length (data_len)                                        |  44
 * +---------------------------------------------------------------+
 * | groups (names of 32 bytes, then data) ...                     |  48
 * +---------------------------------------------------------------+
 * ```
 */
export const FRAME_TYPE_OFFSET = 0;
export const FRAME_SENDER_OFFSET = 4;
export const FRAME_GROUP_COUNT_OFFSET = 36;
export const FRAME_HINT_OFFSET = 40;
export const FRAME_DATA_LENGTH_OFFSET = 44;
export const FRAME_GROUPS_OFFSET = 48;
export const FRAME_HEADER_LENGTH = 48;
