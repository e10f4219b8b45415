/** Options of a ring node: its identity, its windows and its timers. */

import type { DatagramSealer } from '../seal/datagram-sealer.ts';
import type { Incarnation, NodeIndex } from '../wire/ids.ts';

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
  /** Numbers that earlier incarnations gave to rings are not known: this incarnation keeps away from them as far as chance allows. */
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
