/**
 * DATA: ordered records (ring-protocol.md, 8.2). Offsets count from the start of the datagram.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | sequence (48 bits)                                            |  40
 * |                               +-------------------------------+
 * |                               | round (low 16 of the hop)     |  44
 * +-------------------------------+-------------------------------+
 * | records ...                                                   |  48
 * +---------------------------------------------------------------+
 * ```
 */
export const DATA_SEQUENCE_OFFSET = 40;
export const DATA_ROUND_OFFSET = 46;
export const DATA_RECORDS_OFFSET = 48;
export const DATA_HEADER_LENGTH = 48;
