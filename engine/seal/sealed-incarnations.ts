/** What the ring has to know of the seal to keep the incarnations of daemons known to each other (incarnation-proofs.ts). */
import type { PeerIncarnations } from './peer-incarnations.ts';

export interface SealedIncarnations {
  /** Of this incarnation. */
  readonly salt: Uint8Array;
  /** The last one this incarnation sealed with. */
  readonly counter: number;
  readonly peers: PeerIncarnations;
  draw(lengthBytes: number): Uint8Array;
}
