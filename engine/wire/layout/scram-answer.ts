/**
 * What the daemon answers in SCRAM-SHA-256 (client-protocol.md, 1.6): `code` 1 and a message of RFC 5802 of 1 to 255 bytes. In place of
 * all of it, one negative byte refuses the session.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | code          | length        | message ...                   |   0
 * +---------------+---------------+-------------------------------+
 * ```
 */
export const SCRAM_ANSWER_CODE_OFFSET = 0;
export const SCRAM_ANSWER_LENGTH_OFFSET = 1;
export const SCRAM_ANSWER_MESSAGE_OFFSET = 2;
