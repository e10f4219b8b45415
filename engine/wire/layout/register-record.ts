/**
 * Register and Unregister records, between the threads of one daemon: a connection asks for its name, or gives it back. Offsets count from the
 * start of the record.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | name (32 bytes, private name)                                 |  24
 * |                              ...                              |
 * +---------------+-----------------------------------------------+
 * | takes         |                                                  56
 * +---------------+
 * ```
 */
export const REGISTER_RECORD_NAME_OFFSET = 24;
export const REGISTER_RECORD_TAKES_OFFSET = 56;
export const REGISTER_RECORD_LENGTH = 57;
