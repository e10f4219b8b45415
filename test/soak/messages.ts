/** Messages between the coordinator and the driver threads. */
import type { MessagePort } from 'node:worker_threads';
import type { DaemonAddress } from '../../client/address.ts';

export interface DriverTask {
  readonly port: MessagePort;
  readonly driver: number;
  readonly drivers: number;
  readonly addresses: readonly DaemonAddress[];
  /** Names of the daemons at these addresses. */
  readonly daemonNames: readonly string[];
  readonly clients: number;
  readonly groups: number;
  readonly seed: number;
  /** Multiplies all rates. */
  readonly pace: number;
}

export type DriverCommand =
  | { readonly kind: 'connect' }
  /** Random work for so long, then quiet. */
  | { readonly kind: 'run'; readonly lengthMs: number }
  /** Everything sent so far, by anyone, is ordered: receive it and hand over the traces. */
  | { readonly kind: 'flush' }
  | { readonly kind: 'disconnect' };

export interface DriverFigures {
  sent: number;
  delivered: number;
  deliveredBytes: number;
  closes: number;
  crashes: number;
  connects: number;
  viewsReceived: number;
  throttledTicks: number;
  /** The longest time from asking for a session to having it in its home group, waiting for its name included. */
  slowestConnectMs: number;
  /** The most by which a tick came late: what a driver itself stood still, for want of a processor. */
  longestStallMs: number;
}

export interface EpochTrace {
  /** Blocks of all sessions of a driver, see records.ts. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Member lists seen: [hash A, hash B, count, names...] each. */
  readonly lists: Int32Array<ArrayBuffer>;
  readonly figures: DriverFigures;
}

export type DriverReply =
  | { readonly kind: 'connected' }
  /** What this driver's sessions sent is ordered, and the ends of its ended sessions too. */
  | { readonly kind: 'quiet' }
  | ({ readonly kind: 'trace' } & EpochTrace)
  | { readonly kind: 'disconnected' }
  /** Something did not happen in time: the reason to give up. */
  | { readonly kind: 'failed'; readonly reason: string };
