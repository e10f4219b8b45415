/**
 * AUTH-CHOICE: three NUL-padded names (client-protocol.md, 1.5).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | method 1 (30 bytes)                                           |   0
 * |                              ...                              |
 * |                               +-------------------------------+
 * |                               | method 2 (30 bytes)           |  28
 * +-------------------------------+                               +
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | method 3 (30 bytes)                                           |  60
 * |                              ...                              |
 * |                               +-------------------------------+
 * |                               |                                  88
 * +-------------------------------+
 * ```
 */
export const AUTH_CHOICE_METHOD_1_OFFSET = 0;
export const AUTH_CHOICE_METHOD_2_OFFSET = 30;
export const AUTH_CHOICE_METHOD_3_OFFSET = 60;
export const AUTH_CHOICE_LENGTH = 90;
