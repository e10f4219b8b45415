/**
 * The header of a record (ring-protocol.md, 8.4). Little-endian; a record starts at a multiple of 8 and is padded to one.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | length (header and body, without padding)                     |   0
 * +---------------+---------------+-------------------------------+
 * | kind          | service       | flags                         |   4
 * +---------------+---------------+-------------------------------+
 * | session (serial of the connection)                            |   8
 * +---------------------------------------------------------------+
 * | frame count (frames in the run)                               |  12
 * +---------------------------------------------------------------+
 * | target hash (of the one target; 0: none or several)           |  16
 * +---------------------------------------------------------------+
 * | position (of a fragment in its body; else `after`)            |  20
 * +---------------------------------------------------------------+
 * | body ...                                                      |  24
 * +---------------------------------------------------------------+
 * ```
 */
export const RECORD_LENGTH_OFFSET = 0;
export const RECORD_KIND_OFFSET = 4;
export const RECORD_SERVICE_OFFSET = 5;
export const RECORD_FLAGS_OFFSET = 6;
export const RECORD_SESSION_OFFSET = 8;
export const RECORD_FRAME_COUNT_OFFSET = 12;
export const RECORD_TARGET_HASH_OFFSET = 16;
export const RECORD_POSITION_OFFSET = 20;
export const RECORD_HEADER_LENGTH = 24;
