/** Changes a file of secrets: whoever reads it meanwhile gets it as it was or as it will be, and two changes at once do not lose one. */
import { chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CliError } from './exit.ts';

const OWNER_ONLY = 0o600;

interface Found {
  readonly text: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Keeps owner and mode of the file; a new one is for its owner only. Of a link, what it leads to is changed.
 * @param command that is at work, for the error when another one is
 * @param change the text before (null: there is no file), and the mode -> the text afterwards; it may throw
 * @throws (rejects) CliError when another change is under way, or the error of the system
 */
export async function changeSecretFile(
  path: string,
  command: string,
  change: (text: string | null, mode: number) => string | Promise<string>,
): Promise<void> {
  const file = await realpath(path).catch(orElse(path));
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'wx', OWNER_ONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new CliError(
      `${temporary} exists: another ${command} is running, or was killed; in that case remove the file`,
    );
  });
  try {
    const found = await look(file);
    await handle.writeFile(await change(found?.text ?? null, found?.mode ?? OWNER_ONLY));
    if (found !== null) {
      await handle.chmod(found.mode);
      if (process.geteuid?.() === 0) await chown(temporary, found.uid, found.gid);
    }
    await handle.sync();
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(file));
}

const orElse =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code !== 'ENOENT') throw error;
    return value;
  };

async function look(file: string): Promise<Found | null> {
  const text = await readFile(file, 'utf8').catch(orElse(null));
  if (text === null) return null;
  const { mode, uid, gid } = await stat(file);
  return { text, mode: mode & 0o777, uid, gid };
}

/** So that the new name outlives a power cut. Not every system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}
