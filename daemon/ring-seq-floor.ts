/** Where the ring sequence numbers of a daemon begin; see workers/ring/ring-seq-file.ts. */
import { join } from 'node:path';
import { readNumber } from './durable-number.ts';

const FILE_NAME = 'ring-seq';

export interface RingSeqState {
  /** Highest number that an earlier run may have used. */
  readonly floor: number;
  /** Where this run keeps its own; null: nowhere. */
  readonly file: string | null;
}

/**
 * @param stateDir null: nothing is kept, and the floor is the present second, which is as good as the clock
 * @throws (rejects) when the file holds anything but a number
 */
export async function ringSeqState(stateDir: string | null, daemonName: string): Promise<RingSeqState> {
  if (stateDir === null) return { floor: Math.floor(Date.now() / 1000), file: null };
  const file = join(stateDir, `${FILE_NAME}-${daemonName}`);
  return { floor: await readNumber(file, 'a ring sequence number'), file };
}
