/**
 * The command flow control: a row for each configured daemon, and behind the last daemon's one with the window (client-protocol.md, 10.3).
 * Offsets count from the start of the datagram.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | rows (512 bytes, flow-row each)                               |  40
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * ```
 */
export const FLOW_ROWS_OFFSET = 40;
export const FLOW_LENGTH = 552;
