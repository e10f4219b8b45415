/**
 * What a run leaves behind, and all the checker ever sees (ring-protocol.md, 1.4). Each process, that is one
 * incarnation of one daemon, and each client connection appends to a list of its own, in the order in which things
 * happened there. Times are virtual milliseconds.
 */

/** Index of a process in `Trace.processes`; a restarted daemon is a new process. */
export type ProcessId = number;

/** `process * MESSAGE_SPAN + n`: the n-th message (from 1) that a process handed to its ring. */
export type MessageId = number;
const MESSAGE_SPAN = 0x100_0000;
export const messageIdOf = (process: ProcessId, n: number): MessageId => process * MESSAGE_SPAN + n;
export const senderOf = (message: MessageId): ProcessId => Math.floor(message / MESSAGE_SPAN);

/** Service levels by strength; FIFO, CAUSAL and AGREED are one class on the ring (1.3). */
export type Service = 'unreliable' | 'reliable' | 'fifo' | 'causal' | 'agreed' | 'safe';
/** Kept in ring order by everybody. */
export const isOrdered = (service: Service): boolean => service !== 'unreliable' && service !== 'reliable';

export interface Member {
  readonly node: number;
  readonly incarnation: number;
}

/** What a control record does to the process groups, for replaying the group table (GRP-2). */
export interface GroupOperation {
  readonly operation: 'join' | 'leave' | 'disconnect';
  readonly session: number;
  /** Private name of the client. */
  readonly member: string;
  /** Empty for `disconnect`. */
  readonly group: string;
}

export interface ConfigurationEvent {
  readonly kind: 'configuration';
  readonly atMs: number;
  readonly regular: boolean;
  /** Canonical text of the configuration id; equal text, equal id. */
  readonly id: string;
  readonly ringSeq: number;
  readonly members: readonly Member[];
}

/** The message got its place in the ring's sequence. */
export interface SendEvent {
  readonly kind: 'send';
  readonly atMs: number;
  readonly message: MessageId;
  readonly service: Service;
  readonly contentHash: number;
  /** Regular configuration it was sequenced in. */
  readonly configuration: string;
  /** Sequence number on that ring of the packet with the message's end; 0 until known, and when it never left the node. */
  sequence: number;
}

export interface DeliverEvent {
  readonly kind: 'deliver';
  readonly atMs: number;
  readonly message: MessageId;
  readonly service: Service;
  readonly contentHash: number;
  /** Node the ring named as the originator. */
  readonly origin: number;
  /** Handle of the client connection there; 0 for what the daemon sends itself. */
  readonly session: number;
  readonly group: GroupOperation | null;
}

/** The engine threw, or called its host in a way no host allows. */
export interface FailureEvent {
  readonly kind: 'failure';
  readonly atMs: number;
  readonly reason: string;
}

/** A state exchange ended without a sound table for `node`: it goes on without clients. */
export interface LeftOutEvent {
  readonly kind: 'left-out';
  readonly atMs: number;
  readonly node: number;
}

/** Packets a node buffers, sampled now and then. */
export interface GaugeEvent {
  readonly kind: 'gauge';
  readonly atMs: number;
  readonly bufferedPackets: number;
  readonly boundPackets: number;
}

export type ProcessEvent = ConfigurationEvent | SendEvent | DeliverEvent | FailureEvent | LeftOutEvent | GaugeEvent;

export interface ProcessTrace {
  readonly process: ProcessId;
  readonly node: number;
  /** What it ran on: its node's number, and another one only for a second machine with the same node. */
  readonly machine: number;
  readonly incarnation: number;
  readonly startedAtMs: number;
  readonly events: ProcessEvent[];
  /** How it ended: `stopped` is the polite leave. */
  end: 'running' | 'crashed' | 'stopped';
  endedAtMs: number;
  /** Messages its clients gave it that were still without a place in any order when it ended. */
  unsent: number;
}

/** Identity of a view as clients see it (client-protocol.md, 5.2). */
export interface GroupId {
  readonly leader: number;
  readonly time: number;
  readonly index: number;
}

export type ClientEvent =
  | { readonly kind: 'join-requested'; readonly group: string; readonly position: number }
  | { readonly kind: 'leave-requested'; readonly group: string; readonly position: number }
  /** The client gave its daemon a message; what it is stands in `Trace.multicasts`. */
  | { readonly kind: 'multicast-requested'; readonly multicast: number; readonly position: number }
  | {
      readonly kind: 'view';
      readonly group: string;
      readonly id: GroupId;
      readonly cause: 'join' | 'leave' | 'disconnect' | 'network';
      readonly members: readonly string[];
      /** Every VS set in the order of the body. */
      readonly sets: readonly (readonly string[])[];
      /** Index of the receiver's own set in `sets`. */
      readonly ownSet: number;
      /** Events its process had when this was handed to the client. */
      readonly position: number;
    }
  | { readonly kind: 'transition'; readonly group: string; readonly id: GroupId; readonly position: number }
  | { readonly kind: 'self-leave'; readonly group: string; readonly position: number }
  | {
      readonly kind: 'message';
      /** Unique number of the client's multicast. */
      readonly multicast: number;
      readonly sender: string;
      readonly groups: readonly string[];
      readonly service: Service;
      readonly position: number;
    };

/** One client connection. What it asked for and what it got are one list, but it asks without waiting for answers. */
export interface ClientTrace {
  readonly client: number;
  readonly process: ProcessId;
  readonly session: number;
  readonly member: string;
  /** It asked for membership messages. */
  readonly wantsViews: boolean;
  readonly events: ClientEvent[];
  /** Its connection ended before the run did. */
  disconnected: boolean;
}

/** What a client asked its daemon to multicast. */
export interface MulticastFact {
  readonly multicast: number;
  readonly client: number;
  readonly groups: readonly string[];
  readonly service: Service;
  readonly selfDiscard: boolean;
}

/** Something was done to the system in this time; `untilMs` equals `fromMs` for a crash. */
export interface Disruption {
  readonly kind: 'crash' | 'partition' | 'other';
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of a crash: the process. */
  readonly process?: ProcessId;
  /** Of a partition: the component number of each node. */
  readonly component?: readonly number[];
}

/** Time bounds of ring-protocol.md 3.9, from the timeouts of the run. */
export interface TimeBounds {
  /** From a crash or a cut to a configuration without the lost nodes. */
  readonly detectMs: number;
  /** From the end of all faults to one configuration of all live nodes. */
  readonly convergeMs: number;
  /** Between that configuration and everything being delivered everywhere. */
  readonly drainMs: number;
}

export interface Trace {
  readonly nodeCount: number;
  readonly processes: readonly ProcessTrace[];
  readonly clients: readonly ClientTrace[];
  readonly multicasts: readonly MulticastFact[];
  readonly disruptions: readonly Disruption[];
  readonly bounds: TimeBounds;
  /** No fault acts from here on. */
  readonly faultsEndedAtMs: number;
  /** When the last clients stopped sending. */
  readonly workEndedAtMs: number;
  readonly endedAtMs: number;
  /** Processes that run, unpaused and connected to all others, at the end. */
  readonly live: readonly ProcessId[];
}
