/**
 * A reject: between the header of a frame and its groups stands the type of the refused request (client-protocol.md, 3.5).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | old type                                                      |  48
 * +---------------------------------------------------------------+
 * | groups (names of 32 bytes, then data) ...                     |  52
 * +---------------------------------------------------------------+
 * ```
 */
export const REJECT_OLD_TYPE_OFFSET = 48;
export const REJECT_GROUPS_OFFSET = 52;
export const REJECT_FIXED_LENGTH = 52;
