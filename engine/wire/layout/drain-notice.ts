/**
 * Data of the notice that tells a client that its daemon drains, little-endian (client-protocol.md, 5.7). `address count` addresses follow,
 * each as its length in one byte and its text.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | kind (1)      | ms left (4 bytes)                             |   0
 * +---------------+---------------+-------------------------------+
 * |               | address count | addresses ...                 |   4
 * +---------------+---------------+-------------------------------+
 * ```
 */
export const DRAIN_NOTICE_KIND_OFFSET = 0;
export const DRAIN_NOTICE_MS_LEFT_OFFSET = 1;
export const DRAIN_NOTICE_ADDRESS_COUNT_OFFSET = 5;
export const DRAIN_NOTICE_ADDRESSES_OFFSET = 6;
