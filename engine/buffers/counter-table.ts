/**
 * What each counter of the counters page is: one table for the monitor, docs/counters.md, and every other reader of the page. Delivery
 * workers act on four of them: `Sessions` and `LogFull` of the ring agent, `QueuedBytes` and `WorstQueueBytes` of each other; an older
 * value is as good there. A new counter gets its slot in counters.ts (or host/ring-counters.ts) and its row here; with a `field`, which
 * goes to the end of `EXTENSION_COUNTERS`, `skein monitor --json` has it.
 */
import { RingCounter } from '../host/ring-counters.ts';
import type { ExtensionCounter } from '../wire/monitor-extension.ts';
import {
  AgentCounter,
  DeliveryCounter,
  NetworkCounter,
  OrderingCounter,
  RING_NODE_COUNTERS,
  SupervisorCounter,
} from './counters.ts';

/** `total` only rises; `gauge` is the value now; `most` the highest since the start; `last` belongs to what happened last. */
export type CounterKind = 'total' | 'gauge' | 'most' | 'last';
export type CounterUnit = 'count' | 'bytes' | 'µs' | 'ms' | 'flag' | 'number' | 'node' | 'bits';

/** Whose block of the page a counter is in; `agent`: in that of every agent. */
export type CounterBlock = 'agent' | 'ring' | 'network' | 'delivery' | 'supervisor';

interface Row {
  readonly kind: CounterKind;
  readonly unit: CounterUnit;
  readonly help: string;
  /** Its name in `skein monitor --json`. Several counters of one field are added up, or the highest counts (`most`). */
  readonly field?: ExtensionCounter;
  /** How the counters of one field, and those of several agents, become one number; unset, by kind. */
  readonly combine?: 'sum' | 'most';
  /** Of one slot of several under one name: what it is of. */
  readonly of?: string;
}

export interface CounterDescriptor extends Row {
  readonly block: CounterBlock;
  readonly name: string;
  readonly slot: number;
}

/** One row for each slot that belongs to a name. */
type Rows<T> = Readonly<Record<keyof T, Row | readonly Row[]>>;

const total = (help: string, field?: ExtensionCounter, unit: CounterUnit = 'count'): Row =>
  field === undefined ? { kind: 'total', unit, help } : { kind: 'total', unit, help, field };
const gauge = (unit: CounterUnit, help: string, field?: ExtensionCounter): Row =>
  field === undefined ? { kind: 'gauge', unit, help } : { kind: 'gauge', unit, help, field };
const most = (unit: CounterUnit, help: string, field: ExtensionCounter): Row => ({ kind: 'most', unit, help, field });
const last = (unit: CounterUnit, help: string): Row => ({ kind: 'last', unit, help });

const AGENT: Rows<typeof AgentCounter> = {
  DutyCycles: total('duty cycles run, of all agents', 'dutyCycles'),
  BusyCycles: total('duty cycles that found work, of all agents', 'busyCycles'),
  Sleeps: total('times that an agent went to sleep, for want of work', 'sleeps'),
  LongestCycleUs: most('µs', 'longest duty cycle of any agent', 'longestCycleMicros'),
  SettingsGeneration: most('number', 'reload whose options the agent goes by; the start is 1', 'settingsGeneration'),
};

const RING: Rows<typeof OrderingCounter> = {
  RecordsOrdered: total('records that came out of the order', 'recordsOrdered'),
  FramesOrdered: total('messages that came out of the order; `message_delivered` of the status report'),
  BytesOrdered: total('bytes of those messages, headers included', 'bytesOrdered', 'bytes'),
  LogFull: total('times that the ring stopped taking messages because the ordered log was full', 'logFull'),
  LogTermBuffersTouched: gauge('count', 'term buffers of the ordered log that were ever in use', 'logTermBuffers'),
  Sessions: gauge('count', 'private names in use at this daemon', 'namesInUse'),
  Groups: gauge('count', 'groups with a member anywhere; `num_groups` of the status report'),
  MembershipFrames: total('membership messages made for clients of this daemon', 'membershipMessages'),
  FramesTooLong: total('views longer than 2 GiB, which are not told', 'viewsTooLong'),
  GroupsState: gauge('number', 'state of the process groups; `gstate` of the status report'),
  MemberBits: Array.from({ length: 4 }, (_, i) => ({
    ...gauge('bits', 'members of the daemon ring, a bit for each node index'),
    of: `nodes ${32 * i} to ${32 * i + 31}`,
  })),
  SealsRefused: total('sealed datagrams that are not believed', 'sealsRefused'),
  LogWaitingBytes: gauge('bytes', 'what the ring had to say and the log had no room for; now', 'logWaitingBytes'),
  LogWaitingHighWater: most('bytes', 'the most of it', 'logWaitingMost'),
  BytesNotOrdered: gauge(
    'bytes',
    'at the end of a stop: requests of clients that were taken and not ordered',
    'bytesNotOrdered',
  ),
  SealsRefusedBy: [
    { ...total('refused: too short, or not of the form', 'sealsShort'), of: 'short' },
    { ...total('refused: unknown key, or the tag does not fit', 'sealsWrongKey'), of: 'wrong key' },
    { ...total('refused: came before, or sealed before its incarnation was proven', 'sealsReplayed'), of: 'replayed' },
    {
      ...total('refused: its incarnation has not proven that it goes on', 'sealsUnknownIncarnation'),
      of: 'unknown incarnation',
    },
    { ...total('refused: made for another daemon, or by this one', 'sealsMisdirected'), of: 'misdirected' },
  ],
  SealRefusedFrom: ['short', 'wrong key', 'replayed', 'unknown incarnation', 'misdirected'].map((of) => ({
    ...last('node', 'which daemon the last of them names as its transmitter'),
    of,
  })),
  RecordsRefused: total('records and packets in the order that made no sense', 'recordsRefused'),
  DrainingBits: Array.from({ length: 4 }, (_, i) => ({
    ...gauge('bits', 'members of the daemon ring that drain, a bit for each node index'),
    of: `nodes ${32 * i} to ${32 * i + 31}`,
  })),
  PacketsUnstable: gauge(
    'count',
    'at the end of a stop: packets of the ring that were not known to be held by every member',
    'packetsUnstable',
  ),
};

const NODE: Rows<typeof RingCounter> = {
  State: gauge('number', 'state of the daemon membership; `state` of the status report'),
  PacketsSent: total('new data packets of this daemon; `packet_sent` of the status report'),
  PacketsReceived: total('data packets received, duplicates included; `packet_recv`'),
  PacketsDelivered: total('packets delivered upward, own ones included; `packet_delivered`'),
  RetransmissionsToOne: total('packets sent again to one daemon; `u_retrans`'),
  RetransmissionsToAll: total('packets sent again to all; `b_retrans`'),
  Aru: gauge('number', 'sequence up to which all members hold everything; `aru`'),
  MyAru: gauge('number', 'sequence up to which this daemon holds everything; `my_aru`'),
  HighSeq: gauge('number', 'highest sequence known; `highest_seq`'),
  Hurries: total('tokens sent again, and HURRY packets sent; `token_hurry`'),
  TokenRounds: total('tokens handled; `token_rounds`'),
  MembershipChanges: total('regular configurations installed; `membership_changes`'),
  Members: gauge('count', 'members of its ring; `num_procs`'),
  Segments: gauge('count', 'segments with a member in its ring; `num_segments`'),
  Leader: gauge('node', 'leader of its ring; `leader_id`'),
  RingSeq: gauge('number', 'number of its ring, the same at all members', 'ringSequence'),
  Delivered: gauge('number', 'sequence up to which everything is delivered', 'deliveredSequence'),
  Discarded: gauge('number', 'sequence up to which nothing is kept any more', 'discardedSequence'),
  PacketsHeld: gauge('count', 'packets kept for others and for delivery', 'packetsHeld'),
  RotationMicros: gauge('µs', 'smoothed time of one rotation of the token', 'rotationMicros'),
  TokensHeld: total('tokens that this daemon, as leader of an idle ring, kept for a while', 'tokensHeld'),
  RequestsSent: total('packets that this daemon asked for again', 'packetsRequested'),
  Duplicates: total('data packets that were here already', 'duplicates'),
  Malformed: total('damaged datagrams', 'malformed'),
  ForeignCluster: total('datagrams of daemons with another configuration', 'otherConfiguration'),
  ForeignRing: total('datagrams of a ring this daemon is not in', 'foreignRing'),
  Stale: total('datagrams that are outdated', 'stale'),
  OutOfWindow: total('packets and requests outside of every window', 'outOfWindow'),
  TokenLosses: total('changes begun because the token did not come', 'tokenLosses'),
  Gathers: total('changes begun for any reason', 'gathers'),
  FailedRecoveries: total('changes that had to begin anew', 'failedRecoveries'),
  Exclusions: total('members excluded because they stopped receiving', 'exclusions'),
  Pauses: total("times this daemon did not run for longer than half the token's timeout", 'pauses'),
  DroppedAtChange: total('messages thrown away half built, or behind a hole, in changes', 'droppedAtChange'),
  IdentityConflicts: {
    ...total('two incarnations of one entry were heard in turn', 'identityConflicts'),
    combine: 'most',
  },
  DatagramBytes: gauge('bytes', 'largest datagram it sends to the ring now', 'datagramBytes'),
  IncarnationsRefused: total('times an earlier incarnation of another daemon was ignored', 'incarnationsRefused'),
  RefusedNode: last('node', 'which daemon that was'),
  RefusedWaitMs: last(
    'ms',
    'how much longer it is ignored; all ones of 32 bits: while the later incarnation is a member',
  ),
  OwnIncarnationRefused: total(
    'times this daemon was told that it is ignored, as an earlier incarnation',
    'ownIncarnationRefused',
  ),
  OwnIncarnationRefusedBy: last('node', 'by which daemon'),
  OwnIncarnationRefusedFor: last('number', 'which later incarnation that daemon remembers'),
  OwnIncarnationWaitMs: last('ms', 'how much longer'),
  NumbersRefused: total('rings not followed because their number is too near the end', 'numbersRefused'),
  NumbersRefusedFrom: last('node', 'of which daemon'),
};

const NETWORK: Rows<typeof NetworkCounter> = {
  DatagramsReceived: total('datagrams of the ring that came', 'datagramsReceived'),
  DatagramsSent: total('datagrams that the kernel took, to daemons and monitors', 'datagramsSent'),
  DatagramsDropped: total("datagrams that found the ring agent's queue full", 'datagramsDropped'),
  StatusRequests: total('status reports given to monitors', 'statusRequests'),
  InvalidRequests: total("datagrams that are neither a daemon's nor a monitor's", 'invalidRequests'),
  CommandsAccepted: total('commands of monitors that were carried out', 'commandsAccepted'),
  CommandsRefused: total('commands of monitors that were refused', 'commandsRefused'),
  PartitionDropped: total('datagrams ignored because of a partition', 'partitionDropped'),
  Partitioned: gauge('flag', "1 while a monitor's partition is in force", 'partitioned'),
  OtherConfiguration: total('datagrams of daemons with another configuration', 'otherConfiguration'),
  OtherVersion: total('datagrams of another version of the protocol between daemons', 'otherVersion'),
  OtherSeal: total('sealed datagrams without a key here, or unsealed ones with a key', 'otherSeal'),
  IdentityConflicts: {
    ...total('two incarnations of one entry were heard in turn', 'identityConflicts'),
    combine: 'most',
  },
  SendsFailed: [
    { ...total('not sent: ENETUNREACH, EHOSTUNREACH, ENETDOWN', 'sendsUnreachable'), of: 'unreachable' },
    { ...total('not sent: EPERM, EACCES', 'sendsForbidden'), of: 'forbidden' },
    { ...total('not sent: EMSGSIZE', 'sendsTooLong'), of: 'too long' },
    { ...total('not sent: EINVAL, EADDRNOTAVAIL, ENODEV', 'sendsWrongAddress'), of: 'wrong address' },
    { ...total('not sent: ENOBUFS, ENOMEM', 'sendsNoBuffers'), of: 'no buffers' },
    { ...total('not sent, any other error', 'sendsFailedOtherwise'), of: 'other' },
  ],
  ReceiveErrors: total('errors of the UDP sockets beside those of sends', 'receiveErrors'),
};

const DELIVERY: Rows<typeof DeliveryCounter> = {
  ConnectionsAccepted: total('connections of clients accepted', 'connectionsAccepted'),
  HandshakesRefused: total('connections that did not become sessions, for any reason', 'handshakesRefused'),
  SessionsOpen: gauge('count', 'sessions; `num_sessions` of the status report'),
  SessionsClosed: total('sessions that ended, for any reason', 'sessionsClosed'),
  ProtocolErrors: total('sessions ended because they broke the protocol', 'protocolErrors'),
  SlowConsumersEnded: total('sessions ended for any limit of slow clients', 'slowConsumersEnded'),
  MessagesDropped: total('UNRELIABLE messages not given to slow clients', 'messagesDropped'),
  FramesReceived: total('messages and requests of clients', 'framesReceived'),
  BytesReceived: total('bytes of those', 'bytesReceived', 'bytes'),
  RunsSubmitted: total('runs given to the ring: messages of one client to the same targets', 'runsSubmitted'),
  FramesDelivered: total('messages delivered, one for each receiver', 'framesDelivered'),
  BytesDelivered: total('bytes of those', 'bytesDelivered', 'bytes'),
  SocketWrites: total('writes to the sockets of clients', 'socketWrites'),
  SubmitStalls: total('times that clients were not read because the submit queue had no room', 'submitStalls'),
  BytesSpilled: total('bytes copied out of the ordered log', 'spilledBytes', 'bytes'),
  RequestsRejected: total('joins and leaves refused', 'requestsRejected'),
  LongestQueueBytes: most('bytes', 'the longest queue of one session', 'longestQueueBytes'),
  QueuedBytes: gauge('bytes', 'what waits for slow clients, shared bytes once; now', 'queuedBytes'),
  QueuedBytesMost: most('bytes', 'the most of it, over all workers', 'queuedBytesMost'),
  QueuesEnded: total('sessions ended because all together had more than `MaxQueuedBytes` waiting', 'queuesEnded'),
  WorstQueueBytes: {
    ...gauge('bytes', 'the slowest session, while all together are over the limit', 'worstQueueBytes'),
    combine: 'most',
  },
  JoinsRefused: total('joins refused for `MaxSessionGroups`', 'joinsRefused'),
  AcceptErrors: total('connections that could not be accepted', 'acceptErrors'),
  JoinsForbidden: total('joins refused for `AccessFile`', 'joinsForbidden'),
  SessionsRevoked: total(
    'sessions ended because a reload left them no right, or took their user away',
    'sessionsRevoked',
  ),
  JoinsRevoked: total('groups that sessions were made to leave because a reload took the right away', 'joinsRevoked'),
  MessagesForbidden: total('messages refused for `AccessFile`, by a group', 'messagesForbidden'),
  PrivatesForbidden: total('messages refused for `AccessFile`, by a private name', 'privatesForbidden'),
  TlsHandshakesOpen: gauge('count', 'connections in the handshake of TLS', 'tlsHandshakesOpen'),
  TlsHandshakesDone: total('handshakes of TLS that succeeded', 'tlsHandshakesDone'),
  TlsHandshakesFailed: total(
    'handshakes of TLS that failed: no common version, or a certificate that was not accepted',
    'tlsHandshakesFailed',
  ),
  TlsHandshakesTimedOut: total('handshakes of TLS that took longer than `HandshakeTimeout`', 'tlsHandshakesTimedOut'),
  TlsHandshakesCrowdedOut: total(
    'connections ended in the handshake of TLS because there were `MaxHandshakes`',
    'tlsHandshakesCrowdedOut',
  ),
  MonitorRequests: total("clients' requests for the daemon's state", 'monitorRequests'),
  MonitorRefused: total('those that were refused', 'monitorRefused'),
  SessionsHeld: gauge('count', 'sessions not read because of the rate of their user or address', 'sessionsHeld'),
  RatePauses: total('times that a session was not read because of such a rate', 'ratePauses'),
  RateEnds: total('sessions ended because they were held to such a rate for `RateLimitTimeout`', 'rateEnds'),
  UserSessionsRefused: total('logins refused for `MaxUserSessions`', 'userSessionsRefused'),
  AddressSessionsRefused: total('logins refused for `MaxAddressSessions`', 'addressSessionsRefused'),
  HandshakesOpen: gauge('count', 'connections that are no sessions yet, or were refused just now', 'handshakesOpen'),
  HandshakesTimedOut: total('handshakes that took longer than `HandshakeTimeout`', 'handshakesTimedOut'),
  HandshakesCrowdedOut: total('connections ended because there were `MaxHandshakes`', 'handshakesCrowdedOut'),
  PasswordsWaiting: gauge('count', 'passwords whose check waits', 'passwordsWaiting'),
  PasswordsRunning: gauge('count', 'passwords that are being checked', 'passwordsRunning'),
  PasswordsChecked: total('password checks begun, of `PWORD` and `SCRAM-SHA-256`', 'passwordsChecked'),
  PasswordsWrong: total('password checks that failed, of both', 'passwordsWrong'),
  PasswordsSkipped: total('checks not begun, because the client hung up or its time was over', 'passwordsSkipped'),
  PasswordsBusy: total('clients refused as busy, because `MaxWaitingPasswords` waited', 'passwordsBusy'),
  PasswordsFailed: total('hashes that could not be computed', 'passwordsFailed'),
  ClientsVanished: total(
    "sessions ended because their client's machine did not answer for `ClientTimeout`",
    'clientsVanished',
  ),
  InputBytes: gauge('bytes', 'what clients sent and waits in the daemon', 'inputBytes'),
  InputPauses: total('times that clients were not read because of `MaxInputBytes`', 'inputPauses'),
  InputsEnded: total('sessions ended because their frames stayed incomplete meanwhile', 'inputsEnded'),
  BytesNotTaken: gauge(
    'bytes',
    'at the end of a stop: what clients sent, was read and is not ordered',
    'bytesNotTaken',
  ),
  SessionsCutOff: gauge('count', 'at the end of a stop: sessions that were still sending', 'sessionsCutOff'),
  MessagesNotDelivered: gauge('count', 'at the end of a stop: messages not delivered', 'messagesNotDelivered'),
  NoticesSent: total('clients told that the daemon drains, each once', 'noticesSent'),
  SessionsMoved: total('sessions that their clients ended after they were told', 'sessionsMoved'),
  SessionsNotTold: gauge(
    'count',
    'sessions not told, because the views of their moving did not fit `DrainTime`',
    'sessionsNotTold',
  ),
};

const SUPERVISOR: Rows<typeof SupervisorCounter> = {
  LogLinesLost: total('log lines that could not be written', 'logLinesLost'),
  HttpRequests: total('HTTP requests', 'httpRequests'),
  HttpRefused: total('HTTP requests and connections that were refused', 'httpRefused'),
  HttpConnections: gauge('count', 'HTTP connections', 'httpConnections'),
  HttpStreams: gauge('count', 'streams of events among them', 'httpStreams'),
  HttpStreamsDropped: total('streams of events ended because their clients did not read', 'httpStreamsDropped'),
  Draining: gauge('flag', '1 from the moment that the daemon drains or stops', 'draining'),
};

function describe<T extends Readonly<Record<string, number>>>(
  block: CounterBlock,
  slots: T,
  rows: Rows<T>,
  firstSlot = 0,
): CounterDescriptor[] {
  return Object.entries(slots).flatMap(([name, slot]) => {
    const row = rows[name as keyof T];
    const list = Array.isArray(row) ? (row as readonly Row[]) : [row as Row];
    return list.map((one, i) => ({ ...one, block, name, slot: firstSlot + slot + i }));
  });
}

export const COUNTER_TABLE: readonly CounterDescriptor[] = [
  ...describe('agent', AgentCounter, AGENT),
  ...describe('ring', OrderingCounter, RING),
  ...describe('ring', RingCounter, NODE, RING_NODE_COUNTERS),
  ...describe('network', NetworkCounter, NETWORK),
  ...describe('delivery', DeliveryCounter, DELIVERY),
  ...describe('supervisor', SupervisorCounter, SUPERVISOR),
];
