/** What the ring has to know of the seal to keep the runs of daemons known to each other (greeter.ts). */
import type { PeerRuns } from './peer-runs.ts';

export interface SealedRuns {
  /** Of this run. */
  readonly salt: Uint8Array;
  /** The last one this run sealed with. */
  readonly counter: number;
  readonly peers: PeerRuns;
  draw(lengthBytes: number): Uint8Array;
}
