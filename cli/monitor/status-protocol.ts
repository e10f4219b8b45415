/** The status request and report of the monitor protocol (client-protocol.md, sections 10.1 and 10.2). */
import { ipv4FromNumber } from '../../engine/config/ipv4.ts';
import { decodeExtension, type ExtensionCounter, type StatusExtension } from '../../engine/wire/monitor-extension.ts';
import {
  askForExtension,
  MONITOR_HEADER_LENGTH,
  MonitorType,
  readMonitorAnswer,
  writeMonitorRequest,
} from '../../engine/wire/monitor-header.ts';

const REPORT_LENGTH = MONITOR_HEADER_LENGTH + 96;

const STATES = ['unknown', 'operational', 'seg', 'represented', 'gather', 'form', 'evs'] as const;
const GROUP_STATES = ['unknown', 'operational', 'transitional', 'gather', 'gather-transitional'] as const;

/** What a daemon tells of itself. Counters run from the daemon's start and wrap at 32 bits. */
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
  /** What a skein daemon tells beyond that; null from a genuine Spread daemon. */
  readonly ring: RingReport | null;
}

/** The ring as one daemon sees it, and what it ignored. Counters are whole numbers from the daemon's start. */
export interface RingReport extends Readonly<Record<ExtensionCounter, number>> {
  /** IPv4 addresses of the daemons in its membership, in configuration order. */
  readonly members: readonly string[];
  /** Which release of skein it is; null: it does not say. */
  readonly release: string | null;
}

/**
 * @param answerAddress IPv4 address, as a number, where the answer goes; the daemon must have it in its configuration
 * @param answerPort UDP port where the answer goes
 * @param extended ask for `ring` as well, which a genuine daemon does not notice
 */
export function statusRequest(answerAddress: number, answerPort: number, extended = false): Uint8Array {
  const request = new Uint8Array(MONITOR_HEADER_LENGTH);
  const view = new DataView(request.buffer);
  writeMonitorRequest(view, MonitorType.Status, { address: answerAddress, port: answerPort }, 0);
  if (extended) askForExtension(view);
  return request;
}

/** Null for a datagram that is no status report. */
export function readStatusReport(datagram: Uint8Array): StatusReport | null {
  const header = readMonitorAnswer(datagram);
  if (header?.type !== MonitorType.Status || header.bodyLength !== REPORT_LENGTH - MONITOR_HEADER_LENGTH) return null;
  const extension = decodeExtension(datagram, REPORT_LENGTH);
  if (datagram.length !== REPORT_LENGTH && (datagram.length < REPORT_LENGTH || extension === null)) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const little = header.littleEndian;
  const word = (offset: number): number => view.getInt32(MONITOR_HEADER_LENGTH + offset, little);
  const half = (offset: number): number => view.getInt16(MONITOR_HEADER_LENGTH + offset, little);
  return {
    uptimeSeconds: word(0),
    state: STATES[word(4)] ?? 'unknown',
    groupsState: GROUP_STATES[word(8)] ?? 'unknown',
    packetsSent: word(12),
    packetsReceived: word(16),
    packetsDelivered: word(20),
    retransmissions: word(24),
    retransmissionsToOne: word(28),
    retransmissionsToSegment: word(32),
    retransmissionsToAll: word(36),
    aru: word(40),
    ownAru: word(44),
    highestSequence: word(48),
    tokenHurries: word(52),
    tokenRounds: word(56),
    daemon: ipv4FromNumber(word(60)),
    leader: ipv4FromNumber(word(64)),
    messagesDelivered: word(68),
    membershipChanges: half(72),
    daemons: half(74),
    segments: half(76),
    window: half(78),
    personalWindow: half(80),
    acceleratedRing: half(82) !== 0,
    acceleratedWindow: half(84),
    sessions: half(86),
    groups: half(88),
    version: `${half(90)}.${half(92)}.${half(94)}`,
    ring: extension === null ? null : ringReport(extension),
  };
}

const ringReport = ({ counters, members, release }: StatusExtension): RingReport => ({
  ...counters,
  members: members.map(ipv4FromNumber),
  release,
});
