/**
 * What skein adds behind a status report, little-endian (client-protocol.md, 10.2). Behind the counters: members as IPv4 in u32, then
 * u16 length and text of the release.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | magic (`SKN1`)                                                |   0
 * +-------------------------------+-------------------------------+
 * | counter count                 | member count                  |   4
 * +-------------------------------+-------------------------------+
 * | counters (f64 each) ...                                       |   8
 * +---------------------------------------------------------------+
 * ```
 */
export const EXTENSION_MAGIC_OFFSET = 0;
export const EXTENSION_COUNTER_COUNT_OFFSET = 4;
export const EXTENSION_MEMBER_COUNT_OFFSET = 6;
export const EXTENSION_COUNTERS_OFFSET = 8;
export const EXTENSION_FIXED_LENGTH = 8;
