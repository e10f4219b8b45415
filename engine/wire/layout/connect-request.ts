/**
 * CONNECT, of libraries from 3.15 on (client-protocol.md, 1.3). Older ones leave out `patch`: what follows is one byte further to the
 * front.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+---------------+---------------+
 * | major         | minor         | patch         | flags         |   0
 * +---------------+---------------+---------------+---------------+
 * | name length   | name ...                                      |   4
 * +---------------+-----------------------------------------------+
 * ```
 */
export const CONNECT_MAJOR_OFFSET = 0;
export const CONNECT_MINOR_OFFSET = 1;
export const CONNECT_PATCH_OFFSET = 2;
export const CONNECT_FLAGS_OFFSET = 3;
export const CONNECT_NAME_LENGTH_OFFSET = 4;
export const CONNECT_FIXED_LENGTH = 5;
