/**
 * A Members record, between the threads of one daemon: whom TO_MEMBERS means from here on. Offsets count from the start of the record.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | nodes (node indices, 4 bytes each) ...                        |  24
 * +---------------------------------------------------------------+
 * ```
 */
export const MEMBERS_RECORD_NODES_OFFSET = 24;
