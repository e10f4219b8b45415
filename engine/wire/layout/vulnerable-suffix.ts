/**
 * What the flush layer puts behind the data of a message that could overtake a view change (client-protocol.md, 8.2).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * | type (of the message)         | view id (view-id)             |   0
 * +-------------------------------+                               +
 * |                                                               |   4
 * |                                                               |   8
 * |                               +-------------------------------+
 * |                               |                                  12
 * +-------------------------------+
 * ```
 */
export const VULNERABLE_TYPE_OFFSET = 0;
export const VULNERABLE_VIEW_ID_OFFSET = 2;
export const VULNERABLE_SUFFIX_LENGTH = 14;
