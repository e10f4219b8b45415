/** Where ring sequence numbers begin when a daemon keeps no state (ring-protocol.md, 3.11). */

/** Four years of seconds: far enough apart, and client-visible times stay below 2^31 as long as may be. */
const SPAN = 2 ** 27;

/**
 * Clients know a daemon membership by its leader's address and a time stamp of whole seconds, so the clock alone gives a daemon that is
 * started again within a second, or after more memberships than seconds, the ids of its last run. There is no room for a finer clock
 * in 32 bits, and waiting for the next second would slow every start and not help the second case. So each run starts at a place
 * of its own, drawn ahead of the clock: ten memberships of two runs meet with a probability of 10^-7.
 *
 * The price is that numbers no longer rise from run to run (EVS-4): that takes a stored number. Nothing but this daemon's own ring of
 * one begins there, other daemons tell theirs in their JOINs.
 *
 * @param random uniform in [0, 1)
 */
export const unstoredRingSeqFloor = (wallSeconds: number, random: number): number =>
  Math.floor(wallSeconds) + Math.floor(random * SPAN);
