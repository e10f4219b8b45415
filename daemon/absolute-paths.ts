/** Paths of options that do not depend on the working folder, which the daemon and its host program may change. */
import { resolve } from 'node:path';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import { absoluteLogPath } from './log-target.ts';

/**
 * All but the folder of the Unix socket, whose path may not be long and is used only at the start.
 * @param folder absolute; what relative paths are relative to
 */
export const withAbsolutePaths = (options: ConfigurationOptions, folder: string): ConfigurationOptions => ({
  ...options,
  eventLogFile: options.eventLogFile === null ? null : absoluteLogPath(options.eventLogFile, folder),
  accessIpFile: absolute(options.accessIpFile, folder),
  accessFile: absolute(options.accessFile, folder),
  passwordFile: absolute(options.passwordFile, folder),
  scramFile: absolute(options.scramFile, folder),
  clusterKeyFile: absolute(options.clusterKeyFile, folder),
  httpTokenFile: absolute(options.httpTokenFile, folder),
  stateDir: absolute(options.stateDir, folder),
  runtimeDir: absolute(options.runtimeDir, folder),
  tlsCertificateFile: absolute(options.tlsCertificateFile, folder),
  tlsKeyFile: absolute(options.tlsKeyFile, folder),
  tlsAuthorityFile: absolute(options.tlsAuthorityFile, folder),
});

const absolute = (path: string | null, folder: string): string | null => (path === null ? null : resolve(folder, path));
