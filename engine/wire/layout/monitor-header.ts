/**
 * The header that begins every datagram between a monitor and a daemon, in either byte order (client-protocol.md, 10.1).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | type (with the endian flag)                                   |   0
 * +---------------------------------------------------------------+
 * | target (transmitter id; of a sealed command: daemon meant)    |   4
 * +---------------------------------------------------------------+
 * | address (proc id: IPv4)                                       |   8
 * +---------------------------------------------------------------+
 * | membership id (15051963)                                      |  12
 * +---------------------------------------------------------------+
 * | membership time (unused)                                      |  16
 * +---------------------------------------------------------------+
 * | port (seq: UDP port of the answer)                            |  20
 * +---------------------------------------------------------------+
 * | round (token round: 0, or `SKN1`)                             |  24
 * +---------------------------------------------------------------+
 * | hash (1100)                                                   |  28
 * +-------------------------------+-------------------------------+
 * | body length (data_len)        | padding (unused)              |  32
 * +-------------------------------+-------------------------------+
 * | fragment index (unused)       | fragment length (unused)      |  36
 * +-------------------------------+-------------------------------+
 * ```
 */
export const MONITOR_HEADER_TYPE_OFFSET = 0;
export const MONITOR_HEADER_TARGET_OFFSET = 4;
export const MONITOR_HEADER_ADDRESS_OFFSET = 8;
export const MONITOR_HEADER_MEMBERSHIP_ID_OFFSET = 12;
export const MONITOR_HEADER_PORT_OFFSET = 20;
export const MONITOR_HEADER_ROUND_OFFSET = 24;
export const MONITOR_HEADER_HASH_OFFSET = 28;
export const MONITOR_HEADER_BODY_LENGTH_OFFSET = 32;
export const MONITOR_HEADER_LENGTH = 40;
