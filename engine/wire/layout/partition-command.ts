/**
 * The commands partition and terminate: an i16 for each configured daemon (client-protocol.md, 10.3). Offsets count from the start of the
 * datagram.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | components (256 bytes, i16 each; -1: terminate)               |  40
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * ```
 */
export const PARTITION_COMPONENTS_OFFSET = 40;
export const PARTITION_LENGTH = 296;
