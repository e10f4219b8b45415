/**
 * What the method PWORD sends: two NUL-padded fields (client-protocol.md, 1.6).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | user (32 bytes)                                               |   0
 * |                              ...                              |
 * +---------------------------------------------------------------+
 * | secret                                                        |  32
 * |                                                               |  36
 * +---------------------------------------------------------------+
 * ```
 */
export const PASSWORD_USER_OFFSET = 0;
export const PASSWORD_SECRET_OFFSET = 32;
export const PASSWORD_REQUEST_LENGTH = 40;
