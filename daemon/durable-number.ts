/** One whole number in a file that survives crashes of the daemon and of the machine. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * @param what names the number in the error
 * @returns 0 when there is no file
 * @throws (rejects) when the file holds anything but a number
 */
export async function readNumber(path: string, what: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '0';
    throw error;
  });
  const stored = Number(text);
  if (!Number.isSafeInteger(stored) || stored < 0) {
    throw new Error(`state file ${path}: ${JSON.stringify(text.trim())} is not ${what}`);
  }
  return stored;
}

/** Resolves when the number is on the disk; a crash before that leaves the old one. */
export async function writeNumber(path: string, value: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(`${value}\n`);
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
