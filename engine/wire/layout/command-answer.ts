/**
 * What a daemon says to a sealed command (client-protocol.md, 10.3). Offsets count from the start of the datagram.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | verdict       | 0                                             |  40
 * +---------------+---------------+-------------------------------+
 * | text length                   | 0                             |  44
 * +-------------------------------+-------------------------------+
 * | text ...                                                      |  48
 * +---------------------------------------------------------------+
 * ```
 */
export const ANSWER_VERDICT_OFFSET = 40;
export const ANSWER_TEXT_LENGTH_OFFSET = 44;
export const ANSWER_TEXT_OFFSET = 48;
export const ANSWER_FIXED_LENGTH = 48;
