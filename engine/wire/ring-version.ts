/**
 * Versions of the packets between daemons: the only place that reads the version of one (ring-protocol.md, 8.2). The network agent names
 * daemons whose version is not understood in the log; `RingNode` gives a packet to the receiver of its version. ARCHITECTURE.md, "Where to
 * add what", says how a second version gets in.
 */
import { RING_HEADER_LENGTH, RING_HEADER_VERSION_OFFSET } from './layout/ring-header.ts';

/** What this daemon sends. */
export const RING_WIRE_VERSION = 1;

/** Of the packet at `offset`; of what is shorter than a header, the one that this daemon sends: its receiver counts it. */
export const wireVersionOf = (bytes: Uint8Array, offset: number, lengthBytes: number): number =>
  lengthBytes < RING_HEADER_LENGTH ? RING_WIRE_VERSION : bytes[offset + RING_HEADER_VERSION_OFFSET]!;

export const isUnderstoodVersion = (version: number): boolean => version === RING_WIRE_VERSION;
