/**
 * The counters page: one shared array of numbers, written by the agents and read by anyone (status report, metrics, command
 * line, benchmarks). The numbers a user sees are the ones the engine acts on.
 *
 * counter-table.ts says what each counter is. Layout: one block of `SLOTS_PER_AGENT` float64 per agent: ring, network, each delivery agent,
 * and the supervisor. Each slot has one writer, the agent it belongs to, which uses plain stores: a reader sees some recent value. Float64
 * is exact to 2^53, and an aligned 8-byte store does not tear on the 64-bit machines Node runs on.
 */
const SLOTS_PER_AGENT = 128;
/** In the ring agent's block: a copy of the ring node's own counters (engine/host/ring-counters.ts) starts here. */
export const RING_NODE_COUNTERS = 24;

/** Slots every agent has. */
export const AgentCounter = {
  /** Duty cycles run, those that found work, and how often the thread went to sleep. */
  DutyCycles: 0,
  BusyCycles: 1,
  Sleeps: 2,
  /** Longest duty cycle, microseconds. */
  LongestCycleUs: 3,
  /** Number of the reloadable options that it goes by. */
  SettingsGeneration: 4,
} as const;

export const OrderingCounter = {
  RecordsOrdered: 8,
  FramesOrdered: 9,
  BytesOrdered: 10,
  /** Times the ring stopped taking messages because the ordered log was full. */
  LogFull: 11,
  LogTermBuffersTouched: 12,
  Sessions: 13,
  Groups: 14,
  MembershipFrames: 15,
  /** Membership frames longer than the client protocol can say; the views they carried were not told. */
  FramesTooLong: 16,
  /** State of the process groups (`GroupsState`). */
  GroupsState: 17,
  /** Members of the daemon ring, a bit for each node index: four slots of 32 bits. */
  MemberBits: 18,
  /** Datagrams whose seal was not believed, for whatever reason. */
  SealsRefused: 22,
  /** Bytes of entries that wait in the ring agent for room in the ordered log, now and at most. */
  LogWaitingBytes: 96,
  LogWaitingHighWater: 97,
  /** When the daemon ended: bytes of client requests that were taken and not ordered. */
  BytesNotOrdered: 98,
  /** Those by cause: slot `SealsRefusedBy + cause - 1` for each `SealRefusal` (engine/seal/seal-trailer.ts). */
  SealsRefusedBy: 100,
  /** Likewise: node index that the last of them named as its transmitter. */
  SealRefusedFrom: 105,
  /** Records and packets in the order that made no sense and were dropped by all daemons alike. */
  RecordsRefused: 110,
  /** Members of the ring that drain, a bit for each node index: as many slots as `MemberBits`. */
  DrainingBits: 111,
  /** When the daemon ended: packets of the ring, of all its daemons, that were not known to be held by every member. */
  PacketsUnstable: 115,
} as const;

/** Slots of 32 bits from `OrderingCounter.MemberBits` on, for at most 128 daemons. */
export const MEMBER_BIT_SLOTS = 4;

export const NetworkCounter = {
  DatagramsReceived: 8,
  DatagramsSent: 9,
  DatagramsDropped: 10,
  StatusRequests: 11,
  /** Datagrams that are neither a daemon's nor a monitor's. */
  InvalidRequests: 12,
  /** Dangerous commands of monitors, carried out and refused. */
  CommandsAccepted: 13,
  CommandsRefused: 14,
  /** Datagrams ignored because an operator partitioned the network. */
  PartitionDropped: 15,
  /** 1 while such a partition is in force. */
  Partitioned: 16,
  /** Datagrams of daemons with another configuration. */
  OtherConfiguration: 17,
  /** Datagrams of another version of the protocol between daemons. */
  OtherVersion: 18,
  /** Sealed datagrams at a daemon without keys, and unsealed ones at one with keys. */
  OtherSeal: 19,
  /** Times two incarnations of one daemon were heard in turn. */
  IdentityConflicts: 20,
  /** Datagrams that the kernel did not take: a slot for each of `SEND_CAUSES`, in its order. None of them is in `DatagramsSent`. */
  SendsFailed: 21,
  /** Errors of the UDP sockets that no send of ours caused. */
  ReceiveErrors: 27,
} as const;

/** Why a datagram was not sent; workers/network/send-failures.ts maps errno to cause. */
export const SEND_CAUSES = ['unreachable', 'forbidden', 'tooLong', 'wrongAddress', 'noBuffers', 'other'] as const;
export type SendCause = (typeof SEND_CAUSES)[number];

export const DeliveryCounter = {
  ConnectionsAccepted: 8,
  HandshakesRefused: 9,
  SessionsOpen: 10,
  SessionsClosed: 11,
  /** Connections ended because a frame broke the protocol. */
  ProtocolErrors: 12,
  SlowConsumersEnded: 13,
  /** UNRELIABLE messages not given to a slow consumer (policy drop-unreliable). */
  MessagesDropped: 14,
  FramesReceived: 15,
  BytesReceived: 16,
  RunsSubmitted: 17,
  /** Deliveries: one per frame and receiver. */
  FramesDelivered: 18,
  BytesDelivered: 19,
  SocketWrites: 20,
  /** Times a client's socket was not read because the submit queue was full. */
  SubmitStalls: 21,
  /** Bytes copied out of the log into a session's own queue. */
  BytesSpilled: 22,
  RequestsRejected: 23,
  LongestQueueBytes: 24,
  /** Memory that waits for slow clients, shared bytes once; now. */
  QueuedBytes: 60,
  /** The most it was over all workers together, as this worker saw it. */
  QueuedBytesMost: 61,
  /** Sessions ended because all together had more than `MaxQueuedBytes` waiting. */
  QueuesEnded: 62,
  /** What waits for this worker's slowest session, while all together are over the limit; else 0. */
  WorstQueueBytes: 63,
  /** Joins refused because the session was in `MaxSessionGroups` groups; they are among `RequestsRejected`. */
  JoinsRefused: 64,
  /** Times a connection could not be accepted, for want of descriptors or memory. */
  AcceptErrors: 65,
  /** Connections in the handshake of TLS; now. */
  TlsHandshakesOpen: 66,
  /** Handshakes of TLS that succeeded, failed, took longer than `HandshakeTimeout`, and were ended because there were `MaxHandshakes`. */
  TlsHandshakesDone: 67,
  TlsHandshakesFailed: 68,
  TlsHandshakesTimedOut: 69,
  /** Refused for `AccessFile`: joins, which are among `RequestsRejected`, and messages with a group or a private name among their targets. */
  JoinsForbidden: 70,
  MessagesForbidden: 71,
  PrivatesForbidden: 72,
  TlsHandshakesCrowdedOut: 73,
  /** Requests of clients for the daemon's state, and those that were refused. */
  MonitorRequests: 90,
  MonitorRefused: 91,
  /** Ended, and groups left, because a reload took the rights away. */
  SessionsRevoked: 80,
  JoinsRevoked: 79,
  /** Sessions that are not read because of the rate of their user or address; now, and how often that began. */
  SessionsHeld: 84,
  RatePauses: 85,
  /** Sessions ended because that took `RateLimitTimeout`. */
  RateEnds: 86,
  /** Logins refused for `MaxUserSessions` and `MaxAddressSessions`; they are among `HandshakesRefused`. */
  UserSessionsRefused: 87,
  AddressSessionsRefused: 88,
  /** Connections that are no sessions yet, or are refused and may still read why. Now, not since the start. */
  HandshakesOpen: 40,
  /** Handshakes that took longer than `HandshakeTimeout`. */
  HandshakesTimedOut: 41,
  /** Connections ended, before they were sessions, because there were `MaxHandshakes`. */
  HandshakesCrowdedOut: 42,
  /** Passwords that wait for their check, and that are being checked; now. */
  PasswordsWaiting: 43,
  PasswordsRunning: 44,
  /** Password checks begun, and those whose password was wrong or whose user unknown. */
  PasswordsChecked: 45,
  PasswordsWrong: 46,
  /** Password checks that were not begun because the client hung up or ran out of time, and that found no room in the queue. */
  PasswordsSkipped: 47,
  PasswordsBusy: 48,
  /** Hashes that scrypt refused to compute. */
  PasswordsFailed: 49,
  /** Sessions whose client's machine stopped answering. */
  ClientsVanished: 50,
  /** Bytes that clients sent and that are not handled yet; now. */
  InputBytes: 51,
  /** Times clients were not read, because that was too much. */
  InputPauses: 52,
  /** Sessions ended because a frame of theirs stayed incomplete while that was too much. */
  InputsEnded: 53,
  /** At the end of a stop: bytes of clients that were read and not ordered, sessions that were still sending, messages not delivered. */
  BytesNotTaken: 56,
  SessionsCutOff: 57,
  MessagesNotDelivered: 58,
  /** While the daemon drains: clients told to move, those of them that did, and those that were not told because time or views forbid. */
  NoticesSent: 76,
  SessionsMoved: 77,
  SessionsNotTold: 78,
} as const;

/** Of the thread that started the daemon. */
export const SupervisorCounter = {
  /** Log lines that could not be written. */
  LogLinesLost: 8,
  /** Over HTTP: requests, requests and connections that were refused, connections and streams of events now. */
  HttpRequests: 9,
  HttpRefused: 10,
  HttpConnections: 11,
  HttpStreams: 12,
  /** Streams ended because their clients did not read. */
  HttpStreamsDropped: 13,
  /** 1 from the moment that the daemon drains or stops. */
  Draining: 14,
} as const;

/** Shared memory with the counters of all agents: blocks of numbers, that of each agent in one place (docs/operations.md). */
export interface CountersMemory {
  /** Delivery workers of the daemon, each of which has a block. */
  readonly deliveryWorkers: number;
  /** The blocks, as `Float64Array`: ring, network, then the delivery workers, then the supervisor. */
  readonly memory: SharedArrayBuffer;
}

export const createCounters = (deliveryWorkers: number): CountersMemory => ({
  deliveryWorkers,
  memory: new SharedArrayBuffer((3 + deliveryWorkers) * SLOTS_PER_AGENT * 8),
});

const block = (counters: CountersMemory, agent: number): Float64Array =>
  new Float64Array(counters.memory, agent * SLOTS_PER_AGENT * 8, SLOTS_PER_AGENT);

export const ringCounters = (counters: CountersMemory): Float64Array => block(counters, 0);
export const networkCounters = (counters: CountersMemory): Float64Array => block(counters, 1);
export const deliveryCounters = (counters: CountersMemory, worker: number): Float64Array => block(counters, 2 + worker);
export const supervisorCounters = (counters: CountersMemory): Float64Array =>
  block(counters, 2 + counters.deliveryWorkers);
