/** Where the ring sequence numbers of a daemon begin; see workers/ring/ring-seq-file.ts. */
import { randomInt } from 'node:crypto';
import { clockFloor, isNearEnd } from '../engine/ring/ring-seq-limits.ts';
import { unstoredRingSeqFloor } from '../engine/ring/unstored-ring-seq.ts';
import { latestFile } from '../workers/ring/ring-seq-file.ts';
import { dateOf } from './incarnation.ts';
import { inspectNumber, RING_SEQ, readNumber, stateFile } from './state-number.ts';

const RANDOM_RANGE = 2 ** 47;
/** Daemons without a state folder begin up to 2^27 s ahead of the clock, and the others follow. */
const FAR_AHEAD_SECONDS = 2 ** 28;

export interface RingSeqState {
  /** Highest number that an earlier incarnation may have used. */
  readonly floor: number;
  /** Where this incarnation keeps its own; null: nowhere. */
  readonly file: string | null;
}

/**
 * @param stateDir null: nothing is kept, and the floor is drawn at random, so that no two incarnations give out the same numbers
 * @param warnings gets what an operator should know
 * @throws (rejects) when the file holds anything but a number
 */
export async function ringSeqState(
  stateDir: string | null,
  daemonName: string,
  warnings: string[] = [],
  nowSeconds: number = Date.now() / 1000,
): Promise<RingSeqState> {
  if (stateDir === null) return { floor: freshRingSeq(nowSeconds), file: null };
  const file = stateFile(stateDir, RING_SEQ, daemonName);
  const stored = (await readNumber(file, RING_SEQ)) ?? 0;
  // Left by an incarnation that ended before the number was on the disk.
  const latest = await inspectNumber(latestFile(file), RING_SEQ);
  if (latest.kind === 'broken') warnings.push(`state file ${latestFile(file)} ${latest.problem}; it is not used`);
  const floor = Math.max(stored, latest.kind === 'number' ? latest.value : 0);
  const way = `stop all daemons and on each host run: skein state repair ${stateDir}`;
  if (isNearEnd(floor))
    warnings.push(
      `state file ${file}: ring sequence number ${floor} is near the end (${RING_SEQ.highest}); daemons with lower numbers do not follow it, so this daemon stays alone: ${way}`,
    );
  const doubt = isNearEnd(floor) ? null : ringSeqDoubt(floor, nowSeconds);
  if (doubt !== null)
    warnings.push(`state file ${file} ${doubt}. Numbers continue from there; to go back, ${way} --doubtful`);
  return { floor, file };
}

/** What is odd about a stored number, behind the name of its file; null for nothing. */
export function ringSeqDoubt(stored: number, nowSeconds: number): string | null {
  if (stored <= clockFloor(nowSeconds) + FAR_AHEAD_SECONDS) return null;
  return `holds ring sequence number ${stored}, which as a time is ${dateOf(stored * 1000)}, far ahead of the clock (${dateOf(nowSeconds * 1000)}): a clock or a file of the cluster is or was wrong`;
}

/** A number that no earlier incarnation is likely to have used. */
export const freshRingSeq = (nowSeconds: number): number =>
  unstoredRingSeqFloor(clockFloor(nowSeconds), randomInt(RANDOM_RANGE) / RANDOM_RANGE);
