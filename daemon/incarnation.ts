/**
 * The number of this incarnation of the daemon (ring-protocol.md, 3.11). It is written down before any socket opens, so no two incarnations
 * share one even if the clock was set back between them.
 */
import { randomInt } from 'node:crypto';
import { type Incarnation, incarnation } from '../engine/wire/ids.ts';
import { INCARNATION, readNumber, stateFile, writeNumber } from './state-number.ts';

/** A clock that is behind the last start by more than this was set back. */
const CLOCK_SLACK_MS = 60_000;
/** Each incarnation moves the number ahead of the clock by one. One that is further ahead comes from a wrong clock, or a wrong file. */
const FAR_AHEAD_MS = 366 * 24 * 3_600_000;

/**
 * @param stateDir where the number is kept; null: it is the time of the start, which is as good as the machine's clock
 * @param warnings gets what an operator should know
 * @throws (rejects) when the number cannot be read or kept: a daemon that cannot keep its number must not start
 */
export async function nextIncarnation(
  stateDir: string | null,
  daemonName: string,
  isVolatile: boolean,
  warnings: string[] = [],
  nowMs: number = Date.now(),
): Promise<Incarnation> {
  if (isVolatile) return incarnation(randomInt(1, 2 ** 47));
  const clock = clockIncarnation(nowMs);
  if (stateDir === null) return incarnation(clock);
  const path = stateFile(stateDir, INCARNATION, daemonName);
  const stored = (await readNumber(path, INCARNATION)) ?? 0;
  if (stored === INCARNATION.highest)
    throw new Error(
      `state file ${path} holds ${stored}, the highest number there is; "skein state repair ${stateDir}" puts a fresh number there`,
    );
  const doubt = incarnationDoubt(stored, nowMs);
  if (doubt !== null)
    warnings.push(`state file ${path} ${doubt}. Numbers continue from there, and nothing must be done for this daemon`);
  const next = Math.max(stored + 1, clock);
  await writeNumber(path, next);
  return incarnation(next);
}

/** What is odd about a stored number, behind the name of its file; null for nothing. */
export function incarnationDoubt(stored: number, nowMs: number): string | null {
  const aheadMs = stored - nowMs;
  if (aheadMs > FAR_AHEAD_MS)
    return `holds ${stored}, which is ${dateOf(stored)}, more than a year ahead of the clock (${dateOf(nowMs)}): one of them is or was wrong`;
  if (aheadMs > CLOCK_SLACK_MS)
    return `records a start of this daemon at ${dateOf(stored)}, and the clock shows ${dateOf(nowMs)}: the clock was set back`;
  return null;
}

/** Clocks before 1970, and those that do not fit into the number, give the lowest. */
export const clockIncarnation = (nowMs: number): number =>
  nowMs >= 1 && nowMs < INCARNATION.highest ? Math.floor(nowMs) : 1;

/** ISO date of unix milliseconds, or the number itself where dates end. */
export const dateOf = (unixMs: number): string =>
  Math.abs(unixMs) <= 8.64e15 ? new Date(unixMs).toISOString() : String(unixMs);
