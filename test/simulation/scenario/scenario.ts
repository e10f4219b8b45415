/**
 * One run, completely described: plain data, so that it can be printed, shrunk and run again. Everything random that is
 * left to the run itself (delays, losses, what clients send) is drawn from streams of `seed` that belong to one link or one client.
 */
import type { RingNumbers, RingTimeouts, RingWindows } from '../../../engine/host/ring-options.ts';
import type { SlowConsumerLimits } from '../../../workers/delivery/delivery-settings.ts';
import type { LogRoom } from '../../../workers/ring/log-output.ts';
import type { PacketType } from '../network/wire-view.ts';
import type { Service } from '../trace/trace.ts';

export interface NetworkPlan {
  /** Every datagram takes at least `delayMs`, plus an exponential part of mean `jitterMs`; links keep their order. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Extra delay between segments. */
  readonly segmentDelayMs: number;
  /** Bytes a directed link carries per millisecond. */
  readonly bytesPerMs: number;
  /** Bytes that may wait on a directed link; more are lost. */
  readonly queueBytes: number;
  /** Datagrams above this many bytes are lost. */
  readonly mtuBytes: number;
  /** Directed links with a smaller limit of their own. */
  readonly narrowLinks?: readonly { readonly from: number; readonly to: number; readonly mtuBytes: number }[];
  /** Bytes a node's socket holds while the node is busy or paused. */
  readonly socketBytes: number;
}

export interface ClientPlan {
  readonly node: number;
  readonly name: string;
  readonly wantsViews: boolean;
  /** Mean time between two things it does. */
  readonly intervalMs: number;
  readonly services: readonly Service[];
  readonly minBytes: number;
  readonly maxBytes: number;
  /** Groups it joins, leaves and sends to. */
  readonly groups: readonly string[];
  /** How often it does something else than send: join or leave a group. */
  readonly churn: number;
  /** How often it ends its connection, to come back under the same name. */
  readonly reconnect: number;
  /** Messages it sends in one go. */
  readonly burst: number;
  /** How often it does several things in one breath: joins, sends, leaves, sends, joins again, hangs up, and waits for no answer. */
  readonly breath?: number;
  /** How often it stops reading from its socket for a while. */
  readonly stalls: number;
  /** Joins all its groups at once and stays in them; does nothing else. */
  readonly resident?: boolean;
}

/** The ordered log and the delivery worker of each daemon. */
export interface DeliveryPlan {
  readonly log: { readonly termBytes: number; readonly termBufferCount: number; readonly indexEntries: number };
  /** What the ring asks of the log before it delivers another span. */
  readonly room: LogRoom;
  /** Longest span of records the send queue lends in a ring of one. */
  readonly maxSpanBytes: number;
  /** How late the worker looks at what is new in the log. */
  readonly lagMs: number;
  /** Bytes a client's socket takes while the client does not read. */
  readonly socketBytes: number;
  readonly limits: SlowConsumerLimits;
  /** Of what waits for all sessions of a daemon together. */
  readonly maxQueuedBytes: number;
}

/** When a fault strikes: at a time, or when a packet is seen that matches. */
export type Trigger =
  | { readonly kind: 'time'; readonly atMs: number }
  | {
      readonly kind: 'packet';
      readonly notBeforeMs: number;
      readonly type: PacketType;
      /** Sent by this node; any when null. */
      readonly from: number | null;
      /** Strikes at the n-th match, from 1. */
      readonly occurrence: number;
      /** Strikes before the packet leaves its sender, after, or when about half of its receivers are served. */
      readonly moment: 'before' | 'during' | 'after';
    }
  | {
      readonly kind: 'state';
      readonly notBeforeMs: number;
      /** The node that enters the state; any when null. */
      readonly node: number | null;
      readonly state: 'gather' | 'commit' | 'recover' | 'operational';
      readonly occurrence: number;
      /** Strikes so much later. */
      readonly delayMs: number;
    };

/**
 * Random bytes; datagrams of the run's past, half of them with flipped bits or cut short; the same of another cluster; or
 * sealed correctly around nonsense.
 */
export type GarbageMode = 'random' | 'recorded' | 'foreign' | 'sealed';

/**
 * What somebody sends again who heard everything: of runs that ended, of those that go on, to daemons that it was not for, or back to
 * its sender.
 */
export type ReplayMode = 'earlier-incarnation' | 'this-incarnation' | 'reflected' | 'to-sender';

/** A node by its index, or the one that sets the trigger off. */
export type NodeChoice = number | 'trigger';

/** One line of the fault schedule. Each is complete in itself, so that any subset of a schedule is a schedule. */
export type Fault = { readonly trigger: Trigger } & (
  | {
      readonly kind: 'crash';
      readonly node: NodeChoice;
      readonly restartAfterMs: number | null;
      readonly wallStepSeconds: number;
      /** The next run has a lower number than this one; only where no state is kept. */
      readonly isSetBack?: boolean;
    }
  | {
      readonly kind: 'leave';
      readonly node: NodeChoice;
      readonly restartAfterMs: number | null;
      readonly isSetBack?: boolean;
    }
  /** A stop in order: what its clients have sent is ordered and delivered first, in at most `drainMs`. */
  | {
      readonly kind: 'stop';
      readonly node: NodeChoice;
      readonly drainMs: number;
      /** They send until the daemon hangs up; else until it is told. */
      readonly clientsGoOn: boolean;
      readonly restartAfterMs: number | null;
    }
  | { readonly kind: 'pause'; readonly node: NodeChoice; readonly forMs: number }
  | { readonly kind: 'slow'; readonly node: NodeChoice; readonly forMs: number; readonly perPacketMs: number }
  | { readonly kind: 'full-log'; readonly node: NodeChoice; readonly forMs: number }
  | { readonly kind: 'clock'; readonly node: NodeChoice; readonly wallStepSeconds: number }
  /** Component of each node. */
  | { readonly kind: 'partition'; readonly forMs: number; readonly component: readonly number[] }
  /** One direction of one link. */
  | {
      readonly kind: 'cut';
      readonly forMs: number;
      readonly from: number;
      readonly to: number;
      readonly only: PacketType | null;
    }
  | { readonly kind: 'drop'; readonly count: number; readonly only: PacketType; readonly from: number | null }
  | {
      readonly kind: 'impair';
      readonly forMs: number;
      /** Sender and receiver it concerns; all when null. */
      readonly from: number | null;
      readonly to: number | null;
      readonly only: PacketType | null;
      /** Only datagrams longer than this; unset, all. */
      readonly aboveBytes?: number;
      readonly loss: number;
      readonly duplicate: number;
      /** Of a duplicated copy: how late it may come. */
      readonly duplicateLateMs: number;
      readonly reorder: number;
      readonly reorderMs: number;
      readonly extraDelayMs: number;
    }
  /** Machines are given the next configuration, each at a time of its own: what it does not name ends, what is new starts. */
  | {
      readonly kind: 'reconfigure';
      readonly steps: readonly {
        readonly node: number;
        readonly afterMs: number;
        readonly downMs: number;
        readonly end: 'leave' | 'crash';
      }[];
    }
  /** A second machine runs as `node`, from a copied configuration. */
  | {
      readonly kind: 'duplicate';
      readonly node: number;
      readonly forMs: number;
      /** Added to the node's incarnation: above 0 the second machine is the one that counts. */
      readonly incarnationStep: number;
      /** Which of the two gets what is sent to the node: where daemons send to addresses, only one does. */
      readonly hears: 'both' | 'original' | 'copy';
      /** The other one is switched off in the end. */
      readonly survivor: 'original' | 'copy';
    }
  /** Somebody on the network sends again what daemons sent. */
  | {
      readonly kind: 'replay';
      readonly forMs: number;
      readonly everyMs: number;
      readonly modes: readonly ReplayMode[];
    }
  /** The cluster's key is changed: each of the three steps at every node, in some order, before the next begins. */
  | { readonly kind: 'rotate'; readonly stepMs: number }
  /** A daemon of the cluster puts records into the order that no honest one makes. */
  | { readonly kind: 'forge'; readonly node: NodeChoice; readonly forMs: number; readonly everyMs: number }
  /** Somebody on the network sends rubbish to every node. */
  | { readonly kind: 'garbage'; readonly forMs: number; readonly everyMs: number; readonly mode: GarbageMode }
);

export type FaultKind = Fault['kind'];

export interface Scenario {
  readonly name: string;
  readonly seed: number;
  readonly nodeCount: number;
  readonly segmentOf: readonly number[];
  readonly timeouts: RingTimeouts;
  readonly windows: RingWindows;
  readonly datagramBytes: number;
  /** By node, where they differ. */
  readonly datagramBytesOf?: readonly number[];
  /** Longer ones are used once they are known to pass; unset, never. */
  readonly longDatagramBytes?: number;
  readonly network: NetworkPlan;
  /** When each node starts. */
  readonly startMs: readonly number[];
  /** How much faster each node's monotonic clock runs. */
  readonly clockRate: readonly number[];
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly Fault[];
  /** From here on nothing is done to the system. */
  readonly faultsEndMs: number;
  /** Clients go on for so long after that. */
  readonly workAfterMs: number;
  /**
   * The machines of each configuration file, in its order: a daemon's node index is its place there. Every machine begins with the
   * first file, those it does not name stay off; a `reconfigure` fault gives them the next.
   */
  readonly configurations: readonly (readonly number[])[];
  /** What the numbers of every ring begin behind. */
  readonly firstNumbers: RingNumbers;
  /** Machines keep what 3.11 has them keep; false: each incarnation of a daemon draws its numbers, as one with `Volatile = yes` does. */
  readonly keepsState: boolean;
  /** Unset, `deliveryPlan` with a log of a few term buffers. */
  readonly delivery?: DeliveryPlan;
  /** Traffic is sealed with a key of the cluster; unset, it has a checksum. */
  readonly sealed?: boolean;
  /** Nodes whose process groups run; false runs the ring alone. */
  readonly groups: boolean;
  /** Longest body of a state exchange; unset, short ones, so that an exchange takes several records and can be cut between them. */
  readonly groupsBodyBytes?: number;
  /** Time a daemon's processor takes for each 1,000 bytes of tables once it has all of them; unset, none. */
  readonly groupsMsPerKilobyte?: number;
}
