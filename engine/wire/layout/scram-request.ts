/**
 * What a client sends in SCRAM-SHA-256 (client-protocol.md, 1.6): a message of RFC 5802 of 1 to 255 bytes.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | length        | message ...                                   |   0
 * +---------------+-----------------------------------------------+
 * ```
 */
export const SCRAM_REQUEST_LENGTH_OFFSET = 0;
export const SCRAM_REQUEST_MESSAGE_OFFSET = 1;
