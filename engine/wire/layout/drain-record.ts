/**
 * A Drain record (ring-protocol.md, 8.4). Offsets count from the start of the record.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+
 * | stage         |                                                  24
 * +---------------+
 * ```
 */
export const DRAIN_RECORD_STAGE_OFFSET = 24;
export const DRAIN_RECORD_LENGTH = 25;
