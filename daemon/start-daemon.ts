/** Embedding: a daemon inside the caller's process. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { CountersMemory } from '../engine/buffers/counters.ts';
import type { ClusterKey } from '../engine/config/cluster-keys.ts';
import type { AgentFailure } from '../workers/agent-thread.ts';
import { Supervisor } from '../workers/supervisor.ts';
import { planThreads, type ThreadingMode } from '../workers/threading.ts';
import { createDaemonSpec, readClusterKeys } from './daemon-spec.ts';
import { createLogger, writeRecord } from './logger.ts';
import { loadOptions } from './options-load.ts';
import type { DaemonOptions } from './options-schema.ts';

export interface StartDaemonOptions extends DaemonOptions {
  /** Log lines go here instead of to standard error; its own level applies as well as `logLevel`. */
  readonly logger?: Logger;
}

/** A place where clients connect: `host` and `port`, or `path` of a Unix socket. */
export interface DaemonAddress {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

export interface Daemon {
  readonly name: string;
  readonly addresses: readonly DaemonAddress[];
  /** TCP port for clients; null for a daemon that listens on a Unix socket only. */
  readonly port: number | null;
  readonly threadingMode: ThreadingMode;
  /** Shared memory with the agents' counters; see engine/buffers/counters.ts. */
  readonly counters: CountersMemory;
  /** Resolves when the daemon has stopped; rejects with `AgentFailure` when a part of it failed and all was shut down. */
  readonly closed: Promise<void>;
  /**
   * Reads the cluster's key file again: the keys of traffic between daemons change without a pause. Nothing else is re-read. The
   * log says how it went.
   * @throws (rejects) ConfigError when the file is wrong, and an Error when the daemon was started without keys; the old ones stay in force
   */
  reloadClusterKeys(): Promise<void>;
  /**
   * Stops accepting; orders and delivers what clients have sent; hangs up; leaves the ring; closes all. What is not done within
   * `drainTimeoutMs` (default 2000) is cut off, counted and logged.
   */
  stop(options?: { readonly drainTimeoutMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_DRAIN_TIMEOUT_MS = 2000;

/**
 * Starts a daemon. Resolves when it listens.
 * @throws (rejects) ConfigError with every problem of the options and the configuration file, or the error of the socket that
 * could not be opened
 */
export async function startDaemon(options: StartDaemonOptions = {}): Promise<Daemon> {
  const { logger: ownLogger, ...daemonOptions } = options;
  const resolved = await loadOptions(daemonOptions);
  const { options: settings } = resolved.configuration;
  const { spec, warnings } = await createDaemonSpec(resolved);
  const logger = ownLogger ?? createLogger({ daemon: spec.name, options: settings });
  for (const { message } of resolved.warnings) logger.warn(message);
  for (const warning of warnings) logger.warn(warning);
  const plan = planThreads(settings.threadingMode, settings.deliveryWorkers, {
    cores: availableParallelism(),
    nodeVersion: process.versions.node,
  });
  let settle: (failure: AgentFailure | null) => void = () => {};
  const closed = new Promise<void>((resolve, reject) => {
    settle = (failure) => (failure === null ? resolve() : reject(failure));
  });
  // Whoever does not look at `closed` must not be ended by an unhandled rejection; the failure is in the log.
  closed.catch(() => {});
  const supervisor = new Supervisor(spec, plan, workerEntry(), {
    log: (record) => writeRecord(logger, record),
    stopRequested: () => void stop(DEFAULT_DRAIN_TIMEOUT_MS),
    failed: (failure) => {
      logger.fatal({ agent: failure.agent, err: failure }, 'daemon failed');
      settle(failure);
    },
  });
  let stopped: Promise<void> | null = null;
  const stop = (drainTimeoutMs: number): Promise<void> => {
    stopped ??= supervisor.stop(drainTimeoutMs).then(() => {
      logger.info('daemon stopped');
      settle(null);
    });
    return stopped;
  };
  const bound = await supervisor.start();
  const addresses = bound.flatMap(({ address }): DaemonAddress[] => {
    if (address.kind === 'tcp') return [{ host: address.host ?? '0.0.0.0', port: address.port }];
    return address.kind === 'unix' ? [{ path: address.path }] : [];
  });
  const port = addresses.find((address) => address.port !== undefined)?.port ?? null;
  logger.info({ mode: plan.mode, addresses }, 'daemon ready');
  return {
    name: spec.name,
    addresses,
    port,
    threadingMode: plan.mode,
    counters: supervisor.memory.counters,
    closed,
    async reloadClusterKeys() {
      const keys = await clusterKeysAgain(settings.clusterKeyFile).catch((error: Error) => {
        logger.error({ reason: error.message }, 'cluster keys not reloaded; what was in force stays so');
        throw error;
      });
      supervisor.setClusterKeys(keys);
      const fields = { sealingKey: keys[0]?.id, keys: keys.length };
      logger.info(fields, 'cluster keys reloaded; nothing else is read again, other options change with a restart');
    },
    stop: (stopOptions) => stop(stopOptions?.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS),
    [Symbol.asyncDispose]: () => stop(DEFAULT_DRAIN_TIMEOUT_MS),
  };
}

async function clusterKeysAgain(file: string | null): Promise<readonly ClusterKey[]> {
  const keys = await readClusterKeys(file);
  if (keys === null)
    throw new Error('clusterKeyFile: the daemon was started without one; restart it to seal its traffic');
  return keys;
}

/** Worker threads need a built file: beside this one in a build, in `dist/` when this runs from source. */
function workerEntry(): URL {
  const built = new URL('./worker.js', import.meta.url);
  return existsSync(built) ? built : new URL('../dist/worker.js', import.meta.url);
}
