/**
 * The number of this run of the daemon (ring-protocol.md, 3.11). It is written down before any socket opens, so no two runs share
 * one even if the clock was set back between them.
 */
import { randomInt } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Incarnation, incarnation } from '../engine/wire/ids.ts';

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
  await mkdir(stateDir, { recursive: true });
  const next = Math.max((await readStored(path)) + 1, Date.now());
  await writeDurably(stateDir, path, `${next}\n`);
  return incarnation(next);
}

async function readStored(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '0';
    throw error;
  });
  const stored = Number(text);
  if (!Number.isSafeInteger(stored) || stored < 0) {
    throw new Error(`state file ${path}: ${JSON.stringify(text.trim())} is not an incarnation number`);
  }
  return stored;
}

async function writeDurably(folder: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
