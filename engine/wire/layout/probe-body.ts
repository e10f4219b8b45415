/**
 * Body of PROBE, PROBE_ACK and MERGE (ring-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | hash (16 bytes, cluster and configuration)                    |   0
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | ring (16 bytes, ring id of the sender)                        |  16
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | target (16 bytes, ring id of the receiver; PROBE: zeros)      |  32
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | nonce                                                         |  48
 * +-------------------------------+-------------------------------+
 * | member count                  | members ...                   |  52
 * +-------------------------------+-------------------------------+
 * ```
 */
export const PROBE_HASH_OFFSET = 0;
export const PROBE_RING_OFFSET = 16;
export const PROBE_TARGET_OFFSET = 32;
export const PROBE_NONCE_OFFSET = 48;
export const PROBE_MEMBER_COUNT_OFFSET = 52;
export const PROBE_FIXED_LENGTH = 54;
