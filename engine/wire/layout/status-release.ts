/**
 * Which release of skein a daemon is, behind the members in the extension of a status report (client-protocol.md, 10.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * | text length                   | text ...                      |   0
 * +-------------------------------+-------------------------------+
 * ```
 */
export const RELEASE_TEXT_LENGTH_OFFSET = 0;
export const RELEASE_TEXT_OFFSET = 2;
