import { build, type Histogram } from 'hdr-histogram-js';
import type { Endpoint } from './connection.ts';
import type { ProtocolChoice } from './protocol.ts';
import type { SharedState } from './shared-state.ts';

/** `closed`: as fast as the window allows. `open`: a fixed rate over all senders, whatever the system does. */
export type Pacing =
  | { readonly kind: 'closed'; readonly batch: number; readonly windowMessages: number }
  | {
      readonly kind: 'open';
      readonly ratePerSecond: number;
      /** Rate of the warm-up, in which a JIT compiles before the measurement. */
      readonly warmUpRatePerSecond: number;
    };

/** Warm-up rate of open-loop runs, over all senders. Every system sustains it. */
const WARM_UP_RATE = 10_000;

export const openLoop = (ratePerSecond: number): Pacing => ({
  kind: 'open',
  ratePerSecond,
  warmUpRatePerSecond: Math.max(ratePerSecond, WARM_UP_RATE),
});

/** The task of one load thread: plain data and shared memory. */
export interface LoadTask {
  readonly role: 'send' | 'receive';
  /** Indices of this thread's connections within their role. */
  readonly connections: readonly number[];
  readonly run: number;
  readonly protocol: ProtocolChoice;
  /** Connection `i` goes to endpoint `i mod n`. */
  readonly endpoints: readonly Endpoint[];
  readonly pacing: Pacing;
  /** Senders set TCP_NODELAY. */
  readonly noDelay: boolean;
  readonly payloadBytes: number;
  readonly groupNames: readonly string[];
  readonly state: SharedState;
}

export interface ReceiveResult {
  readonly role: 'receive';
  /** Deliveries in the measured interval, and in the whole run. */
  readonly measured: number;
  readonly total: number;
  /** Skipped sequence numbers, and messages that came twice or late. */
  readonly gaps: number;
  readonly disorder: number;
  /** For each receiver of this thread, a hash of its delivery order. */
  readonly orderHashes: readonly number[];
  /** Open-loop runs: latency from the due time, in units of LATENCY_UNIT_MS. */
  readonly latency: string | null;
}

export interface SendResult {
  readonly role: 'send';
  /** Open-loop runs: how late the generator itself was, same unit. */
  readonly lateness: string | null;
}

/** Histogram unit: 100 ns. */
export const LATENCY_UNIT_MS = 1e-4;
const HIGHEST_VALUE = 120_000 / LATENCY_UNIT_MS;

export const createHistogram = (): Histogram =>
  build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_VALUE,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

/** Above this rate only every n-th message is recorded, so that recording does not become the load. */
const MAX_RECORDINGS_PER_SECOND = 100_000;

export const recordingStride = (deliveriesPerSecond: number): number =>
  Math.max(1, Math.ceil(deliveriesPerSecond / MAX_RECORDINGS_PER_SECOND));

export const toHistogramValue = (durationMs: number): number =>
  Math.min(HIGHEST_VALUE, Math.max(1, Math.round(durationMs / LATENCY_UNIT_MS)));

/** Connection names of at most ten bytes, unique over successive runs on one daemon. */
export const connectionName = (role: 'send' | 'receive' | 'idle', run: number, index: number): string =>
  `${role[0]}${(run % 46_656).toString(36)}${index.toString(36).padStart(4, '0')}`;
