/**
 * One row of the command flow control; -1 keeps a value (client-protocol.md, 10.3).
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * | personal window (or window)   | accelerated window            |   0
 * +-------------------------------+-------------------------------+
 * ```
 */
export const FLOW_ROW_PERSONAL_WINDOW_OFFSET = 0;
export const FLOW_ROW_ACCELERATED_WINDOW_OFFSET = 2;
export const FLOW_ROW_LENGTH = 4;
