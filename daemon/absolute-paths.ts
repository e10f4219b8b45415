/** Paths of options that do not depend on the working folder, which the daemon and its host program may change. */
import { resolve } from 'node:path';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import { absoluteLogPath } from './log-target.ts';

const absolute = (path: string | null): string | null => (path === null ? null : resolve(path));

/** All but the folder of the Unix socket, whose path may not be long and is used only now. */
export const withAbsolutePaths = (options: ConfigurationOptions): ConfigurationOptions => ({
  ...options,
  eventLogFile: options.eventLogFile === null ? null : absoluteLogPath(options.eventLogFile),
  accessIpFile: absolute(options.accessIpFile),
  passwordFile: absolute(options.passwordFile),
  clusterKeyFile: absolute(options.clusterKeyFile),
  httpTokenFile: absolute(options.httpTokenFile),
  stateDir: absolute(options.stateDir),
  runtimeDir: absolute(options.runtimeDir),
});
