/**
 * What follows the ring header in JOIN, COMMIT, PROBE, PROBE_ACK, MERGE and INCARNATION_REFUSED (ring-protocol.md, 8.2). The parts of one
 * message have one number; their bodies, put together, are the body of the message.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | number (of the message)                                       |  40
 * +---------------------------------------------------------------+
 * | body ...                                                      |  44
 * +---------------------------------------------------------------+
 * ```
 */
export const CONTROL_NUMBER_OFFSET = 40;
export const CONTROL_HEADER_LENGTH = 44;
