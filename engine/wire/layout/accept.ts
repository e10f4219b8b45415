/**
 * ACCEPT, to libraries from 3.15 on (client-protocol.md, 1.7). To older ones `patch` is left out.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+---------------+---------------+
 * | code          | major         | minor         | patch         |   0
 * +---------------+---------------+---------------+---------------+
 * | name length   | name ...                                      |   4
 * +---------------+-----------------------------------------------+
 * ```
 */
export const ACCEPT_CODE_OFFSET = 0;
export const ACCEPT_MAJOR_OFFSET = 1;
export const ACCEPT_MINOR_OFFSET = 2;
export const ACCEPT_PATCH_OFFSET = 3;
export const ACCEPT_NAME_LENGTH_OFFSET = 4;
export const ACCEPT_FIXED_LENGTH = 5;
