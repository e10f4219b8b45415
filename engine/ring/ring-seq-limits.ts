/**
 * The numbers of rings have 32 bits and begin at whole seconds of unix time (ring-protocol.md, 3.4), so they could run to 2106. One wrong
 * clock, or one damaged state file, must not carry a cluster to their end, where no ring can be formed any more.
 */

/** No ring of several daemons has a higher number. What is above are the rings a daemon forms alone. */
export const MAX_RING_SEQ = 0xffff_0000;

/** A later clock (2097-07-14) is no floor for numbers: from there on they rise by one, which leaves 268 million of them. */
export const MAX_CLOCK_SEQ = 0xf000_0000;

/** Numbers from here on are taken over from another daemon only by those that are nearly there themselves. */
const RESERVE = 2 ** 24;
/** A ring may be ahead of one of its members by what a daemon without a state folder leaves out, and some more. */
const LEAD = 2 ** 17;

/** The floor that the clock gives; 0 for one that is before 1970, far in the future, or no number. */
export const clockFloor = (wallSeconds: number): number =>
  wallSeconds > 0 && wallSeconds <= MAX_CLOCK_SEQ ? Math.floor(wallSeconds) : 0;

/** Highest number that a daemon whose own highest is `ownRingSeq` believes another one. */
export const highestAccepted = (ownRingSeq: number): number =>
  Math.min(MAX_RING_SEQ, Math.max(MAX_RING_SEQ - RESERVE, ownRingSeq + LEAD));

/** So few numbers are left that the operator should hear of it. */
export const isNearEnd = (ringSeq: number): boolean => ringSeq > MAX_RING_SEQ - RESERVE;
