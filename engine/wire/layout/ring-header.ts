/**
 * The header that begins every datagram between daemons (ring-protocol.md, 8.2). Little-endian.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | magic (52 4E 47 31)                                           |   0
 * +---------------+---------------+-------------------------------+
 * | version       | type          | flags                         |   4
 * +---------------+---------------+-------------------------------+
 * | length (without the trailer)  | origin (node index)           |   8
 * +-------------------------------+---------------+---------------+
 * | transmitter (node index)      | part count    | part index    |  12
 * +-------------------------------+---------------+---------------+
 * | incarnation (48 bits, of the transmitter)                     |  16
 * |                               +-------------------------------+
 * |                               | 0                             |  20
 * +-------------------------------+-------------------------------+
 * | cluster (cluster id and configuration hash, folded)           |  24
 * +---------------------------------------------------------------+
 * | counter (packets of the transmitter)                          |  28
 * +---------------------------------------------------------------+
 * | ring seq                                                      |  32
 * +-------------------------------+-------------------------------+
 * | ring leader (node index)      | ring leader incarnation       |  36
 * +-------------------------------+-------------------------------+
 * ```
 */
export const RING_HEADER_MAGIC_OFFSET = 0;
export const RING_HEADER_VERSION_OFFSET = 4;
export const RING_HEADER_TYPE_OFFSET = 5;
export const RING_HEADER_FLAGS_OFFSET = 6;
export const RING_HEADER_LENGTH_OFFSET = 8;
export const RING_HEADER_ORIGIN_OFFSET = 10;
export const RING_HEADER_TRANSMITTER_OFFSET = 12;
export const RING_HEADER_PART_COUNT_OFFSET = 14;
export const RING_HEADER_PART_INDEX_OFFSET = 15;
export const RING_HEADER_INCARNATION_OFFSET = 16;
export const RING_HEADER_CLUSTER_OFFSET = 24;
export const RING_HEADER_COUNTER_OFFSET = 28;
export const RING_HEADER_RING_SEQ_OFFSET = 32;
export const RING_HEADER_RING_LEADER_OFFSET = 36;
export const RING_HEADER_RING_LEADER_INCARNATION_OFFSET = 38;
export const RING_HEADER_LENGTH = 40;
