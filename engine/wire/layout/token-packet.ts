/**
 * TOKEN (ring-protocol.md, 8.2). Offsets count from the start of the datagram. A u16 count and the requests follow the bitmap.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | hop (48 bits)                                                 |  40
 * |                               +---------------+---------------+
 * |                               | copy          | phase         |  44
 * +-------------------------------+---------------+---------------+
 * | sequence (48 bits)                                            |  48
 * |                               +-------------------------------+
 * |                               | aru (48 bits)                 |  52
 * +-------------------------------+                               +
 * |                                                               |  56
 * +-------------------------------+-------------------------------+
 * | aru holder (node index)       | flow (packets)                |  60
 * +-------------------------------+-------------------------------+
 * | backlog (packets)                                             |  64
 * +-------------------------------+-------------------------------+
 * | credit before                 | credit so far                 |  68
 * +-------------------------------+-------------------------------+
 * | done length (bytes)           | done (bitmap by place) ...    |  72
 * +-------------------------------+-------------------------------+
 * ```
 */
export const TOKEN_HOP_OFFSET = 40;
export const TOKEN_COPY_OFFSET = 46;
export const TOKEN_PHASE_OFFSET = 47;
export const TOKEN_SEQUENCE_OFFSET = 48;
export const TOKEN_ARU_OFFSET = 54;
export const TOKEN_ARU_HOLDER_OFFSET = 60;
export const TOKEN_FLOW_OFFSET = 62;
export const TOKEN_BACKLOG_OFFSET = 64;
export const TOKEN_CREDIT_BEFORE_OFFSET = 68;
export const TOKEN_CREDIT_SO_FAR_OFFSET = 70;
export const TOKEN_DONE_LENGTH_OFFSET = 72;
export const TOKEN_DONE_OFFSET = 74;
export const TOKEN_FIXED_LENGTH = 74;
