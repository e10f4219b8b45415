/** Options and files -> what the threads of a daemon go by from a reload on. */
import type { ConfigurationOptions } from '../../engine/config/configuration-options.ts';
import type { SettingsSnapshot } from '../../workers/settings/settings-snapshot.ts';
import { deliverySettings } from '../delivery-options.ts';
import type { OperatorFiles } from '../operator-files.ts';

export function settingsSnapshot(
  generation: number,
  options: ConfigurationOptions,
  files: OperatorFiles,
): SettingsSnapshot {
  const { logLevel, maxSessions, dangerousMonitor } = options;
  return Object.freeze({
    generation,
    logLevel,
    delivery: Object.freeze(deliverySettings(options, files)),
    ring: Object.freeze({ clusterKeys: files.clusterKeys, maxSessions, dangerousMonitor }),
  });
}
