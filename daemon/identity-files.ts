/** Files that the daemon opened as root and its user needs again. */
import { accessSync, constants, existsSync, lchownSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../engine/config/config-error.ts';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import { servesTls, type TlsListenKey } from '../engine/config/tls-listeners.ts';
import type { Identity } from './identity.ts';
import { stateFilesOf } from './state-number.ts';

type FileOptions = Pick<
  ConfigurationOptions,
  'stateDir' | 'accessFile' | 'clusterKeyFile' | 'eventLogFile' | 'httpTokenFile' | 'tlsKeyFile' | TlsListenKey
>;

/** Lets the daemon's user write what this incarnation wrote as root: its state files, and the folder if this incarnation made it. */
export function handOverState(stateDir: string, daemonName: string, madeFolder: boolean, { uid, gid }: Identity): void {
  if (!existsSync(stateDir)) return; // a volatile daemon keeps nothing
  if (madeFolder) lchownSync(stateDir, uid, gid);
  for (const path of stateFilesOf(stateDir, daemonName)) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // A second name may be another program's file.
    if (stats?.isFile() === true && stats.nlink === 1 && stats.uid !== uid) lchownSync(path, uid, gid);
  }
}

/**
 * What the daemon, now its user, cannot do later.
 * @throws ConfigError when it could not keep its state
 * @returns what is worth a line in the log each
 */
export function checkFilesOf(options: FileOptions, userText: string): readonly string[] {
  const { stateDir, accessFile, clusterKeyFile, eventLogFile, httpTokenFile, tlsKeyFile } = options;
  if (stateDir !== null && !mayAccess(stateDir, constants.W_OK | constants.X_OK)) {
    const message = `StateDir ${stateDir}: ${userText} cannot write there; give the folder to that user`;
    throw new ConfigError([{ message, field: 'stateDir', value: stateDir }], null);
  }
  const warnings: string[] = [];
  if (accessFile !== null && !mayAccess(accessFile, constants.R_OK))
    warnings.push(`AccessFile ${accessFile}: ${userText} cannot read it, so SIGHUP cannot reload it`);
  if (clusterKeyFile !== null && !mayAccess(clusterKeyFile, constants.R_OK))
    warnings.push(`ClusterKeyFile ${clusterKeyFile}: ${userText} cannot read it, so SIGHUP cannot reload the keys`);
  if (servesTls(options) && tlsKeyFile !== null && !mayAccess(tlsKeyFile, constants.R_OK))
    warnings.push(`TlsKeyFile ${tlsKeyFile}: ${userText} cannot read it, so no reload can replace the key`);
  if (httpTokenFile !== null && !mayAccess(httpTokenFile, constants.R_OK))
    warnings.push(
      `HttpTokenFile ${httpTokenFile}: ${userText} cannot read it, so its tokens cannot change without a restart`,
    );
  if (eventLogFile !== null && !mayAccess(dirname(eventLogFile), constants.W_OK | constants.X_OK))
    warnings.push(
      `EventLogFile ${eventLogFile}: ${userText} cannot make files in its folder, so a rotation must create the new one for that user`,
    );
  return warnings;
}

function mayAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
