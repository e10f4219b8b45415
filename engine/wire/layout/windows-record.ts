/**
 * A Windows record, between the threads of one daemon: flow control set by an operator. Offsets count from the start of the record.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | window (packets)                                              |  24
 * +---------------------------------------------------------------+
 * | personal window (packets)                                     |  28
 * +---------------------------------------------------------------+
 * | accelerated window (packets)                                  |  32
 * +---------------------------------------------------------------+
 * ```
 */
export const WINDOWS_RECORD_WINDOW_OFFSET = 24;
export const WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET = 28;
export const WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET = 32;
export const WINDOWS_RECORD_LENGTH = 36;
