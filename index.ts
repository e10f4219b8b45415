/** The package: an embeddable daemon, and the client library. */
export * from './client/index.ts';
export {
  type Daemon,
  type DaemonAddress as DaemonListenAddress,
  type StartDaemonOptions,
  startDaemon,
} from './daemon/start-daemon.ts';
export { ConfigError, type ConfigProblem, formatConfigError } from './engine/config/config-error.ts';
export { AgentFailure } from './workers/agent-thread.ts';
