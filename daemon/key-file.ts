/** Reads the cluster's key file, and checks which other users can read it. */
import { stat } from 'node:fs/promises';
import { type ClusterKey, MAX_KEY_FILE_BYTES, parseClusterKeys } from '../engine/config/cluster-keys.ts';
import { secretModeProblem } from './secret-mode.ts';
import { readTextFile } from './text-file.ts';

export interface KeyFile {
  readonly keys: readonly ClusterKey[];
  /** Worth a line in the log each. */
  readonly warnings: readonly string[];
}

/** @throws (rejects) ConfigError when the file holds no usable keys, and the error of a file that cannot be read or is too long */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const text = await readTextFile(path);
  if (text.length > MAX_KEY_FILE_BYTES)
    throw new Error(`${path} is not a key file: it is longer than ${MAX_KEY_FILE_BYTES} bytes`);
  const keys = parseClusterKeys(text, path);
  const { mode, uid } = await stat(path);
  return { keys, warnings: accessWarnings(path, mode, uid, process.geteuid?.() ?? uid) };
}

/** @param user the user that runs the daemon; while that is root, the file may be of the user it becomes */
export function accessWarnings(path: string, mode: number, owner: number, user: number): readonly string[] {
  if (process.platform === 'win32') return [];
  const warnings: string[] = [];
  const problem = secretModeProblem(mode, "the cluster's keys");
  if (problem !== null) warnings.push(`${path}: ${problem}`);
  if (owner !== user && owner !== 0 && user !== 0)
    warnings.push(
      `${path} belongs to user ${owner}, who can change the cluster's keys: give it to root or to user ${user}`,
    );
  return warnings;
}
