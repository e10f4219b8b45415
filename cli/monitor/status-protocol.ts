/** The status request and report of the monitor protocol (client-protocol.md, sections 10.1 and 10.2). */

import { ipv4FromNumber } from '../../engine/config/ipv4.ts';
import { MONITOR_HEADER_LENGTH } from '../../engine/wire/layout/monitor-header.ts';
import {
  STATUS_ACCELERATED_RING_OFFSET,
  STATUS_ACCELERATED_WINDOW_OFFSET,
  STATUS_ARU_OFFSET,
  STATUS_B_RETRANS_OFFSET,
  STATUS_GSTATE_OFFSET,
  STATUS_HIGHEST_SEQ_OFFSET,
  STATUS_LEADER_ID_OFFSET,
  STATUS_MAJOR_OFFSET,
  STATUS_MEMBERSHIP_CHANGES_OFFSET,
  STATUS_MESSAGE_DELIVERED_OFFSET,
  STATUS_MINOR_OFFSET,
  STATUS_MY_ARU_OFFSET,
  STATUS_MY_ID_OFFSET,
  STATUS_NUM_GROUPS_OFFSET,
  STATUS_NUM_PROCS_OFFSET,
  STATUS_NUM_SEGMENTS_OFFSET,
  STATUS_NUM_SESSIONS_OFFSET,
  STATUS_PACKET_DELIVERED_OFFSET,
  STATUS_PACKET_RECV_OFFSET,
  STATUS_PACKET_SENT_OFFSET,
  STATUS_PATCH_OFFSET,
  STATUS_PERSONAL_WINDOW_OFFSET,
  STATUS_REPORT_LENGTH,
  STATUS_RETRANS_OFFSET,
  STATUS_S_RETRANS_OFFSET,
  STATUS_SEC_OFFSET,
  STATUS_STATE_OFFSET,
  STATUS_TOKEN_HURRY_OFFSET,
  STATUS_TOKEN_ROUNDS_OFFSET,
  STATUS_U_RETRANS_OFFSET,
  STATUS_WINDOW_OFFSET,
} from '../../engine/wire/layout/status-report.ts';
import { decodeExtension, type ExtensionCounter, type StatusExtension } from '../../engine/wire/monitor-extension.ts';
import {
  askForExtension,
  MonitorType,
  readMonitorAnswer,
  writeMonitorRequest,
} from '../../engine/wire/monitor-header.ts';

const STATES = ['unknown', 'operational', 'seg', 'represented', 'gather', 'form', 'evs'] as const;
const GROUP_STATES = ['unknown', 'operational', 'transitional', 'gather', 'gather-transitional'] as const;

/** A daemon's report on itself. Counters begin at its start and wrap at 32 bits. */
export interface StatusReport {
  readonly uptimeSeconds: number;
  readonly state: (typeof STATES)[number];
  readonly groupsState: (typeof GROUP_STATES)[number];
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsDelivered: number;
  readonly retransmissions: number;
  readonly retransmissionsToOne: number;
  readonly retransmissionsToSegment: number;
  readonly retransmissionsToAll: number;
  readonly aru: number;
  readonly ownAru: number;
  readonly highestSequence: number;
  readonly tokenHurries: number;
  readonly tokenRounds: number;
  /** IPv4 address, which is a daemon's identity. */
  readonly daemon: string;
  readonly leader: string;
  readonly messagesDelivered: number;
  readonly membershipChanges: number;
  readonly daemons: number;
  readonly segments: number;
  readonly window: number;
  readonly personalWindow: number;
  readonly acceleratedRing: boolean;
  readonly acceleratedWindow: number;
  readonly sessions: number;
  readonly groups: number;
  readonly version: string;
  /** The extension of skein daemons; null: a genuine Spread daemon. */
  readonly ring: RingReport | null;
}

/** The ring as one daemon sees it, and what it ignored. Counters begin at the daemon's start. */
export interface RingReport extends Readonly<Record<ExtensionCounter, number>> {
  /** IPv4 addresses of the daemons in its membership, in configuration order. */
  readonly members: readonly string[];
  /** The release of skein; null: not reported. */
  readonly release: string | null;
}

/**
 * @param answerAddress IPv4 address, as a number, for the answer; the daemon's configuration must have it
 * @param answerPort UDP port for the answer
 * @param extended also ask for `ring`; a genuine daemon ignores that
 */
export function statusRequest(answerAddress: number, answerPort: number, extended = false): Uint8Array {
  const request = new Uint8Array(MONITOR_HEADER_LENGTH);
  const view = new DataView(request.buffer);
  writeMonitorRequest(view, MonitorType.Status, { address: answerAddress, port: answerPort }, 0);
  if (extended) askForExtension(view);
  return request;
}

/** Null: the datagram is not a status report. */
export function readStatusReport(datagram: Uint8Array): StatusReport | null {
  const header = readMonitorAnswer(datagram);
  if (header?.type !== MonitorType.Status || header.bodyLength !== STATUS_REPORT_LENGTH - MONITOR_HEADER_LENGTH)
    return null;
  const extension = decodeExtension(datagram, STATUS_REPORT_LENGTH);
  if (datagram.length !== STATUS_REPORT_LENGTH && (datagram.length < STATUS_REPORT_LENGTH || extension === null))
    return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const little = header.littleEndian;
  const word = (offset: number): number => view.getInt32(offset, little);
  const half = (offset: number): number => view.getInt16(offset, little);
  return {
    uptimeSeconds: word(STATUS_SEC_OFFSET),
    state: STATES[word(STATUS_STATE_OFFSET)] ?? 'unknown',
    groupsState: GROUP_STATES[word(STATUS_GSTATE_OFFSET)] ?? 'unknown',
    packetsSent: word(STATUS_PACKET_SENT_OFFSET),
    packetsReceived: word(STATUS_PACKET_RECV_OFFSET),
    packetsDelivered: word(STATUS_PACKET_DELIVERED_OFFSET),
    retransmissions: word(STATUS_RETRANS_OFFSET),
    retransmissionsToOne: word(STATUS_U_RETRANS_OFFSET),
    retransmissionsToSegment: word(STATUS_S_RETRANS_OFFSET),
    retransmissionsToAll: word(STATUS_B_RETRANS_OFFSET),
    aru: word(STATUS_ARU_OFFSET),
    ownAru: word(STATUS_MY_ARU_OFFSET),
    highestSequence: word(STATUS_HIGHEST_SEQ_OFFSET),
    tokenHurries: word(STATUS_TOKEN_HURRY_OFFSET),
    tokenRounds: word(STATUS_TOKEN_ROUNDS_OFFSET),
    daemon: ipv4FromNumber(word(STATUS_MY_ID_OFFSET)),
    leader: ipv4FromNumber(word(STATUS_LEADER_ID_OFFSET)),
    messagesDelivered: word(STATUS_MESSAGE_DELIVERED_OFFSET),
    membershipChanges: half(STATUS_MEMBERSHIP_CHANGES_OFFSET),
    daemons: half(STATUS_NUM_PROCS_OFFSET),
    segments: half(STATUS_NUM_SEGMENTS_OFFSET),
    window: half(STATUS_WINDOW_OFFSET),
    personalWindow: half(STATUS_PERSONAL_WINDOW_OFFSET),
    acceleratedRing: half(STATUS_ACCELERATED_RING_OFFSET) !== 0,
    acceleratedWindow: half(STATUS_ACCELERATED_WINDOW_OFFSET),
    sessions: half(STATUS_NUM_SESSIONS_OFFSET),
    groups: half(STATUS_NUM_GROUPS_OFFSET),
    version: `${half(STATUS_MAJOR_OFFSET)}.${half(STATUS_MINOR_OFFSET)}.${half(STATUS_PATCH_OFFSET)}`,
    ring: extension === null ? null : ringReport(extension),
  };
}

const ringReport = ({ counters, members, release }: StatusExtension): RingReport => ({
  ...counters,
  members: members.map(ipv4FromNumber),
  release,
});
