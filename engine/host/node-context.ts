/** What all parts of one ring node share: its identity, its host, and the time of the current call. */

import { crcSealer } from '../seal/crc-sealer.ts';
import type { DatagramSealer } from '../seal/datagram-sealer.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { foldHash } from '../wire/ring-header.ts';
import { RING_COUNTER_COUNT } from './ring-counters.ts';
import type { RingHost } from './ring-host.ts';
import type { RingNodeOptions, RingNumbers } from './ring-options.ts';

export class NodeContext {
  readonly options: RingNodeOptions;
  readonly host: RingHost;
  readonly self: NodeIndex;
  readonly nodeCount: number;
  readonly cluster: number;
  readonly sealer: DatagramSealer;
  /** Of any daemon's data: what has to fit where it is kept, and where it is sent from again. */
  readonly largestDatagramBytes: number;
  readonly counters = new Float64Array(RING_COUNTER_COUNT);
  readonly firstNumbers: RingNumbers;
  startedAtMs = 0;
  nowMs = 0;
  wallSeconds = 0;
  #randomState: number;

  constructor(options: RingNodeOptions, host: RingHost) {
    this.options = options;
    this.host = host;
    this.self = options.self;
    this.nodeCount = options.segmentOf.length;
    this.cluster = foldHash(options.clusterHash);
    this.sealer = options.sealer ?? crcSealer;
    const { datagramBytes, longDatagramBytes = 0, largestDatagramBytes = 0 } = options;
    this.largestDatagramBytes = Math.max(datagramBytes, longDatagramBytes, largestDatagramBytes);
    this.firstNumbers = options.firstNumbers ?? { sequence: 0, hop: 0 };
    this.#randomState = (options.randomSeed ^ 0x9e37_79b9) | 1;
  }

  /** Uniform in [0, 1), for jitter only (xorshift32). */
  random(): number {
    let state = this.#randomState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#randomState = state;
    return (state >>> 0) / 0x1_0000_0000;
  }

  /** `periodMs` up to 20 % longer, so that daemons do not stay in step. */
  jitter(periodMs: number): number {
    return periodMs * (1 + 0.2 * this.random());
  }
}
