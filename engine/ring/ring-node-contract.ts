/** The shape of a ring node as its surroundings see it: the ring worker and the simulator hold one each. */
import type { Incarnation, NodeIndex } from '../wire/ids.ts';
import type { DatagramSealer } from '../wire/ring-sealer.ts';
import type { RingHost } from './ports.ts';

/** Flow control of the ring (ring-protocol.md, 2.9). Counts are packets. */
export interface RingWindows {
  /** New packets and retransmissions of all daemons in one rotation. */
  readonly window: number;
  /** New packets of one daemon in one rotation. */
  readonly personalWindow: number;
  /** How many of them may follow the token (2.4); 0 with `acceleratedRing` off. */
  readonly acceleratedWindow: number;
  readonly acceleratedRing: boolean;
}

/** All in milliseconds (ring-protocol.md, 3.4). */
export interface RingTimeouts {
  readonly tokenLossMs: number;
  readonly tokenResendMs: number;
  readonly joinEveryMs: number;
  readonly gatherMinMs: number;
  readonly gatherMaxMs: number;
  readonly commitMs: number;
  readonly commitResendMs: number;
  readonly probeEveryMs: number;
  readonly probeIdleMs: number;
  readonly mergeNotBeforeMs: number;
  readonly idleHoldMaxMs: number;
}

export interface RingNodeOptions {
  readonly self: NodeIndex;
  readonly incarnation: Incarnation;
  /** Segment number of every configured daemon, in configuration order; its length is the number of daemons. */
  readonly segmentOf: readonly number[];
  /** 128 bits: identity of the cluster and hash of its ring-relevant configuration. Packets with another are ignored. */
  readonly clusterHash: Uint8Array;
  readonly windows: RingWindows;
  readonly timeouts: RingTimeouts;
  /** Largest datagram this daemon sends, header and trailer included. */
  readonly datagramBytes: number;
  /** Longer DATA datagrams to use once they are known to pass between all members (path-size.ts); 0 or left out: never. */
  readonly longDatagramBytes?: number;
  /** Largest datagram that any daemon of the cluster may send; when left out, all send the same. */
  readonly largestDatagramBytes?: number;
  /** Seed of the jitter in join timers. */
  readonly randomSeed: number;
  /** What protects every datagram; a CRC-32 trailer when left out (ring-protocol.md, 8.3). */
  readonly sealer?: DatagramSealer;
  /** Ring sequence numbers start above this one: the highest an earlier incarnation is known to have used. */
  readonly ringSeqFloor?: number;
  /** Numbers that earlier runs gave to rings are not known: this run keeps away from them as far as chance allows. */
  readonly forgetsRingSeq?: boolean;
  /**
   * Tests only, the same at all daemons: what the numbers of every ring begin behind; 0 and 0 when left out. Nothing else gets a ring
   * to the places where 16 and 32 bits are full, or to the end of its numbers, within the life of a test.
   */
  readonly firstNumbers?: RingNumbers;
}

/** The two numbers of a ring that only rise, in 48 bits each. */
export interface RingNumbers {
  /** Of packets. */
  readonly sequence: number;
  /** Of visits of the token. */
  readonly hop: number;
}

/**
 * Pure: it has no clock, socket or timer. Whoever holds it calls `receive` for every datagram, `tick` no later than
 * `nextDeadlineMs`, and `wake` when the send queue stopped being empty. `nowMs` is monotonic, `wallSeconds` is unix time.
 *
 * Calls do not nest: inside a host's callback only `wake` may be called.
 *
 * A deadline that is not after the present asks for `tick` as soon as the datagrams that wait in the sockets are handled:
 * a token that would overtake its data waits for this (ring-protocol.md, 2.5).
 */
export interface RingNodeContract {
  start(nowMs: number, wallSeconds: number): void;
  receive(nowMs: number, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  tick(nowMs: number, wallSeconds: number): void;
  readonly nextDeadlineMs: number;
  /** Records wait in the send queue, or the ordered log has room again. May be called from inside a host's callback. */
  wake(nowMs: number): void;
  /** The cluster's keys are others now: runs of other daemons that were proven by one that is gone are asked again. */
  keysChanged(nowMs: number): void;
  /** Polite stop: tells the ring; the node is silent afterwards. */
  leave(nowMs: number): void;
  /** Gauges and totals by `RingCounter`, updated in place; read only for everyone else. */
  readonly counters: Float64Array;
}

export type RingNodeFactory = (options: RingNodeOptions, host: RingHost) => RingNodeContract;
