/**
 * What follows an unsealed datagram between daemons (ring-protocol.md, 8.3).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | crc (CRC-32 of everything before)                             |   0
 * +---------------------------------------------------------------+
 * ```
 */
export const CRC_TRAILER_CRC_OFFSET = 0;
export const CRC_TRAILER_LENGTH = 4;
