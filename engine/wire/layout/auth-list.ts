/**
 * AUTH-LIST (client-protocol.md, 1.4).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | length        | methods (each with a space behind) ...        |   0
 * +---------------+-----------------------------------------------+
 * ```
 */
export const AUTH_LIST_LENGTH_OFFSET = 0;
export const AUTH_LIST_METHODS_OFFSET = 1;
