/** Where the ring sequence numbers of a daemon begin; see workers/ring/ring-seq-file.ts. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { unstoredRingSeqFloor } from '../engine/ring/unstored-ring-seq.ts';
import { readNumber } from './durable-number.ts';

const FILE_NAME = 'ring-seq';
const RANDOM_RANGE = 2 ** 47;

export interface RingSeqState {
  /** Highest number that an earlier run may have used. */
  readonly floor: number;
  /** Where this run keeps its own; null: nowhere. */
  readonly file: string | null;
}

/**
 * @param stateDir null: nothing is kept, and the floor is drawn at random, so that no two runs give out the same numbers
 * @throws (rejects) when the file holds anything but a number
 */
export async function ringSeqState(stateDir: string | null, daemonName: string): Promise<RingSeqState> {
  if (stateDir === null)
    return { floor: unstoredRingSeqFloor(Date.now() / 1000, randomInt(RANDOM_RANGE) / RANDOM_RANGE), file: null };
  const file = join(stateDir, `${FILE_NAME}-${daemonName}`);
  return { floor: await readNumber(file, 'a ring sequence number'), file };
}
