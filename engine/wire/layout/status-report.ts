/**
 * The status report of a daemon (client-protocol.md, 10.2). Offsets count from the start of the datagram.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * | sec                                                           |  40
 * +---------------------------------------------------------------+
 * | state                                                         |  44
 * +---------------------------------------------------------------+
 * | gstate                                                        |  48
 * +---------------------------------------------------------------+
 * | packet sent                                                   |  52
 * +---------------------------------------------------------------+
 * | packet recv                                                   |  56
 * +---------------------------------------------------------------+
 * | packet delivered                                              |  60
 * +---------------------------------------------------------------+
 * | retrans                                                       |  64
 * +---------------------------------------------------------------+
 * | u retrans                                                     |  68
 * +---------------------------------------------------------------+
 * | s retrans                                                     |  72
 * +---------------------------------------------------------------+
 * | b retrans                                                     |  76
 * +---------------------------------------------------------------+
 * | aru                                                           |  80
 * +---------------------------------------------------------------+
 * | my aru                                                        |  84
 * +---------------------------------------------------------------+
 * | highest seq                                                   |  88
 * +---------------------------------------------------------------+
 * | token hurry                                                   |  92
 * +---------------------------------------------------------------+
 * | token rounds                                                  |  96
 * +---------------------------------------------------------------+
 * | my id                                                         | 100
 * +---------------------------------------------------------------+
 * | leader id                                                     | 104
 * +---------------------------------------------------------------+
 * | message delivered                                             | 108
 * +-------------------------------+-------------------------------+
 * | membership changes            | num procs                     | 112
 * +-------------------------------+-------------------------------+
 * | num segments                  | window                        | 116
 * +-------------------------------+-------------------------------+
 * | personal window               | accelerated ring              | 120
 * +-------------------------------+-------------------------------+
 * | accelerated window            | num sessions                  | 124
 * +-------------------------------+-------------------------------+
 * | num groups                    | major                         | 128
 * +-------------------------------+-------------------------------+
 * | minor                         | patch                         | 132
 * +-------------------------------+-------------------------------+
 * ```
 */
export const STATUS_SEC_OFFSET = 40;
export const STATUS_STATE_OFFSET = 44;
export const STATUS_GSTATE_OFFSET = 48;
export const STATUS_PACKET_SENT_OFFSET = 52;
export const STATUS_PACKET_RECV_OFFSET = 56;
export const STATUS_PACKET_DELIVERED_OFFSET = 60;
export const STATUS_RETRANS_OFFSET = 64;
export const STATUS_U_RETRANS_OFFSET = 68;
export const STATUS_S_RETRANS_OFFSET = 72;
export const STATUS_B_RETRANS_OFFSET = 76;
export const STATUS_ARU_OFFSET = 80;
export const STATUS_MY_ARU_OFFSET = 84;
export const STATUS_HIGHEST_SEQ_OFFSET = 88;
export const STATUS_TOKEN_HURRY_OFFSET = 92;
export const STATUS_TOKEN_ROUNDS_OFFSET = 96;
export const STATUS_MY_ID_OFFSET = 100;
export const STATUS_LEADER_ID_OFFSET = 104;
export const STATUS_MESSAGE_DELIVERED_OFFSET = 108;
export const STATUS_MEMBERSHIP_CHANGES_OFFSET = 112;
export const STATUS_NUM_PROCS_OFFSET = 114;
export const STATUS_NUM_SEGMENTS_OFFSET = 116;
export const STATUS_WINDOW_OFFSET = 118;
export const STATUS_PERSONAL_WINDOW_OFFSET = 120;
export const STATUS_ACCELERATED_RING_OFFSET = 122;
export const STATUS_ACCELERATED_WINDOW_OFFSET = 124;
export const STATUS_NUM_SESSIONS_OFFSET = 126;
export const STATUS_NUM_GROUPS_OFFSET = 128;
export const STATUS_MAJOR_OFFSET = 130;
export const STATUS_MINOR_OFFSET = 132;
export const STATUS_PATCH_OFFSET = 134;
export const STATUS_REPORT_LENGTH = 136;
