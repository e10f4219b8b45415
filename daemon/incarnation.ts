/**
 * The number of this run of the daemon (ring-protocol.md, 3.11). It is written down before any socket opens, so no two runs share
 * one even if the clock was set back between them.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Incarnation, incarnation } from '../engine/wire/ids.ts';
import { readNumber, writeNumber } from './durable-number.ts';

const FILE_NAME = 'incarnation';

/**
 * @param stateDir where the number is kept; null: it is the time of the start, which is as good as the machine's clock
 * @throws (rejects) when the folder cannot be written: a daemon that cannot keep its number must not start
 */
export async function nextIncarnation(
  stateDir: string | null,
  daemonName: string,
  isVolatile: boolean,
): Promise<Incarnation> {
  if (isVolatile) return incarnation(randomInt(2 ** 47));
  if (stateDir === null) return incarnation(Date.now());
  const path = join(stateDir, `${FILE_NAME}-${daemonName}`);
  const next = Math.max((await readNumber(path, 'an incarnation number')) + 1, Date.now());
  await writeNumber(path, next);
  return incarnation(next);
}
