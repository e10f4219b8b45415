/**
 * The package: an embeddable daemon, and the client library.
 *
 * @module skein
 */
export * from './client/index.ts';
export type { OptionDifference } from './daemon/reload/option-changes.ts';
export type { ReloadReport } from './daemon/reload/reloader.ts';
export {
  type Daemon,
  type DaemonListenAddress,
  type StartDaemonOptions,
  startDaemon,
} from './daemon/start-daemon.ts';
export type { CountersMemory } from './engine/buffers/counters.ts';
export { ConfigError, type ConfigProblem, type ConfigSource, formatConfigError } from './engine/config/config-error.ts';
export { AgentFailure } from './workers/agent-thread.ts';
export type { ResolvedThreadingMode } from './workers/threading.ts';
