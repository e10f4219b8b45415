/** Where ring sequence numbers begin when a daemon keeps no state (ring-protocol.md, 3.11). */

/** Numbers left out at most; a daemon can be started some ten thousand times before that is felt. */
const STEP = 2 ** 16;

/**
 * How many numbers the first ring leaves out that a daemon forms above a number it has from others. It may have done that before, in
 * an incarnation it does not know of, when all who saw the ring of that time have been started again as well.
 *
 * @param random uniform in [0, 1)
 */
export const unstoredRingSeqStep = (random: number): number => Math.floor(random * STEP);

/** Four years of seconds: far enough apart, and client-visible times stay below 2^31 as long as may be. */
const SPAN = 2 ** 27;

/**
 * Clients know a daemon membership by its leader's address and a time stamp of whole seconds, so the clock alone gives a daemon that is
 * started again within a second, or after more memberships than seconds, the ids of its last incarnation. There is no room for a finer
 * clock in 32 bits, and waiting for the next second would slow every start and not help the second case. So each incarnation starts at a
 * place of its own, drawn ahead of the clock: ten memberships of two incarnations meet with a probability of 10^-7.
 *
 * The price is that numbers no longer rise from run to run (EVS-4): that takes a stored number. Where others are, JOINs
 * tell the highest.
 *
 * @param random uniform in [0, 1)
 */
export const unstoredRingSeqFloor = (wallSeconds: number, random: number): number =>
  Math.floor(wallSeconds) + Math.floor(random * SPAN);
