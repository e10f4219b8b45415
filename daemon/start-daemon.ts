/** Embedding: a daemon inside the caller's process. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import {
  type CountersMemory,
  MEMBER_BIT_SLOTS,
  OrderingCounter,
  ringCounters,
  SupervisorCounter,
  supervisorCounters,
} from '../engine/buffers/counters.ts';
import { endpointText } from '../engine/config/endpoint.ts';
import type { AgentFailure } from '../workers/agent-thread.ts';
import { ListenFailure } from '../workers/listen-failure.ts';
import type { LogFields } from '../workers/log.ts';
import { Supervisor } from '../workers/supervisor.ts';
import { planThreads, type ResolvedThreadingMode } from '../workers/threading.ts';
import { withAbsolutePaths } from './absolute-paths.ts';
import { checkLogger, checkWorkerUrl, drainTimeoutOf, drainTimesOf, readOptions } from './api-arguments.ts';
import { createDaemonSpec } from './create-daemon-spec.ts';
import { DaemonEnd, DEFAULT_DRAIN_TIMEOUT_MS } from './daemon-end.ts';
import { DaemonLog } from './daemon-log.ts';
import {
  becomeIdentity,
  enterRuntimeDir,
  identityText,
  identityWarnings,
  ownName,
  resolveIdentity,
} from './identity.ts';
import { checkFilesOf, handOverState } from './identity-files.ts';
import { listenProblem } from './listen-problem.ts';
import { Observation } from './observation.ts';
import { loadOptions } from './options-load.ts';
import type { ResolvedDaemonOptions } from './options-resolve.ts';
import type { DaemonOptions } from './options-schema.ts';
import { packageRelease } from './release.ts';
import { Reloader, type ReloadReport } from './reload/reloader.ts';

/** What `startDaemon` takes; every field is optional. Units, defaults and limits of each: docs/configuration.md. */
export interface StartDaemonOptions extends DaemonOptions {
  /** Log lines go here instead of to standard error; its own level applies as well as `logLevel`. */
  readonly logger?: Logger;
  /**
   * The file that worker threads run. Needed only where a bundler has moved this module away from its package: then the URL of the
   * package's `dist/worker.js` (docs/install.md).
   */
  readonly workerUrl?: URL;
}

/** A place where clients connect: `host` and `port`, or `path` of a Unix socket. */
export interface DaemonListenAddress {
  /** Address it is bound to; absent for a Unix socket. */
  readonly host?: string;
  /** TCP port; absent for a Unix socket. */
  readonly port?: number;
  /** Path of the Unix socket; absent for TCP. */
  readonly path?: string;
  /** Clients connect with TLS. */
  readonly tls?: true;
}

/** A daemon in this process; `startDaemon` makes it. */
export interface Daemon {
  /** Its name in the configuration, the last part of private names. */
  readonly name: string;
  /** Where clients connect. */
  readonly addresses: readonly DaemonListenAddress[];
  /** TCP port for clients; null for a daemon that listens on a Unix socket only. */
  readonly port: number | null;
  /** Where health, metrics and the dashboard are: `http://127.0.0.1:4880/`, `https://…` with TLS; empty without `httpListen` and `httpTlsListen`. */
  readonly httpUrls: readonly string[];
  /** Where web pages connect: `ws://127.0.0.1:4884/`, `wss://…` with TLS; empty without `webSocketListen` and `webSocketTlsListen`. */
  readonly webSocketUrls: readonly string[];
  /** How its agents are laid out on threads: the option, or what `auto` has chosen. */
  readonly threadingMode: ResolvedThreadingMode;
  /** Shared memory with the agents' counters; see engine/buffers/counters.ts. */
  readonly counters: CountersMemory;
  /** Resolves when the daemon has stopped; rejects with `AgentFailure` when a part of it failed and all was shut down. */
  readonly closed: Promise<void>;
  /** Logs one line that says how it is. */
  logStatus(): void;
  /**
   * Opens the log file again, which another program may have renamed. No line is lost. Of no effect with a `logger` of your own.
   * @throws the error of the system; the old file stays in use then, and the log says so
   */
  reopenLog(): void;
  /**
   * Reads the configuration and the files that it names again, and puts in force what a running daemon can change
   * (docs/operations.md). Options that it was started with still override the file. Reloads run one after the other. The log says
   * how it went.
   * @throws (rejects) ConfigError when something in a file is wrong, or the error of a file that cannot be read or opened; nothing has
   * changed then
   */
  reload(): Promise<ReloadReport>;
  /**
   * Stops accepting, and tells the clients that understand it (`connect`'s sessions: the event `drain`) to move to other daemons of the
   * ring, a few at a time. When they are gone, or after `drainTimeMs` (default: the option `drainTime`), stops as `stop()`, with
   * `drainTimeoutMs` (default 2000). At once when there is nobody to tell, or nowhere to go. A `stop()` meanwhile ends the waiting.
   * Resolves when the daemon has stopped. Rejects with ConfigError, and does not drain, for a wrong option.
   */
  drain(options?: { readonly drainTimeMs?: number; readonly drainTimeoutMs?: number }): Promise<void>;
  /**
   * Stops accepting; orders and delivers what clients have sent; hangs up; leaves the ring; closes all. What is not done within
   * `drainTimeoutMs` (default 2000) is cut off, counted and logged. `closed` reports failures meanwhile. Rejects with ConfigError, and
   * does not stop, for a wrong option.
   */
  stop(options?: { readonly drainTimeoutMs?: number }): Promise<void>;
  /** As `stop()`: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a daemon. Resolves when it listens.
 * @throws (rejects) ConfigError with every problem of the options and the configuration file, or with the address that it cannot listen
 * on; the `code` of its `cause` is then that of the system, such as EADDRINUSE
 */
export async function startDaemon(options: StartDaemonOptions = {}): Promise<Daemon> {
  const { logger, workerUrl, ...daemonOptions } = readOptions('options of startDaemon', options);
  checkLogger(logger);
  checkWorkerUrl(workerUrl);
  const ownLogger = logger as Logger | undefined;
  const folder = process.cwd();
  const resolved = await loadFrom(folder, daemonOptions);
  const { options: settings } = resolved.configuration;
  const identity = resolveIdentity(settings);
  const makesStateDir = settings.stateDir !== null && !existsSync(settings.stateDir);
  const { spec, files, warnings } = await createDaemonSpec(resolved, identity);
  const log = new DaemonLog({ daemon: spec.name, options: settings, logger: ownLogger });
  for (const { message } of resolved.warnings) log.warn({}, message);
  const warn = (texts: readonly string[]): void => {
    for (const text of texts) log.warn({}, text);
  };
  warn(warnings);
  if (ownLogger !== undefined && settings.eventLogFile !== null)
    warn(['EventLogFile has no effect: the program that started the daemon passed a logger']);
  warn(identityWarnings(settings, resolved.source !== null));
  const plan = planThreads(settings.threadingMode, settings.deliveryWorkers, {
    cores: availableParallelism(),
    nodeVersion: process.versions.node,
  });
  let settle: (failure: AgentFailure | null) => void = () => {};
  const closed = new Promise<void>((close, reject) => {
    settle = (failure) => (failure === null ? close() : reject(failure));
  });
  // A program that ignores `closed` must not end by an unhandled rejection; the failure is in the log.
  closed.catch(() => {});
  const supervisor = new Supervisor(spec, plan, (workerUrl as URL | undefined) ?? workerEntry(), {
    log: (record) => log.record(record),
    tell: (event) => observation.told(event),
    report: (report) => observation.report(report),
    stopRequested: () => void end.stop(DEFAULT_DRAIN_TIMEOUT_MS),
    failed: (failure) => {
      log.fatal({ agent: failure.agent, err: failure }, 'daemon failed');
      void Promise.all([log.close(), observation.close()]).then(() => settle(failure));
    },
  });
  const reloader: Reloader = new Reloader(resolved.configuration, files, {
    load: () => loadFrom(folder, daemonOptions),
    folder,
    http: (snapshot) => observation.prepare(snapshot),
    supervisor,
    log,
  });
  const observation: Observation = new Observation({
    resolved,
    spec,
    threadingMode: plan.mode,
    delivery: () => reloader.delivery,
    supervisor,
    log,
    reload: (peer) => {
      log.info({ peer }, 'reload requested over http');
      return reloader.reload();
    },
    end: (isAtOnce, peer) => end.requested(isAtOnce, peer, reloader.options.drainTime),
  });
  const end = new DaemonEnd({ supervisor, log, watch: observation, settled: () => settle(null) });
  log.countIn(supervisor.memory.counters);
  const startedMs = performance.now();
  const takeIdentity = (): void => {
    if (identity !== null) {
      log.handOver(identity.uid, identity.gid);
      if (settings.stateDir !== null) handOverState(settings.stateDir, spec.name, makesStateDir, identity);
    }
    warn(enterRuntimeDir(settings));
    if (identity === null) return;
    becomeIdentity(identity);
    warn(checkFilesOf(settings, `the daemon, as ${identityText(identity)},`));
  };
  // Before the process becomes its user, who may not open every port and every file.
  const bound = await observation
    .openHttp()
    .then(() => supervisor.start(takeIdentity))
    .catch(async (error: unknown) => {
      await Promise.all([log.close(), observation.close()]);
      throw error instanceof ListenFailure ? listenProblem(error, daemonOptions, resolved.source !== null) : error;
    });
  await observation.running();
  const addresses = bound.flatMap(({ address }): DaemonListenAddress[] => {
    if (address.kind === 'tcp') return [{ host: address.host ?? '0.0.0.0', port: address.port }];
    if (address.kind === 'tls') return [{ host: address.host, port: address.port, tls: true }];
    return address.kind === 'unix' ? [{ path: address.path }] : [];
  });
  const httpUrls = observation.urls;
  const webSocketUrls = bound.flatMap(({ address }) =>
    address.kind === 'websocket' || address.kind === 'websocket-tls'
      ? [`${address.kind === 'websocket' ? 'ws' : 'wss'}://${endpointText(address)}/`]
      : [],
  );
  const port = addresses.find((address) => address.port !== undefined && address.tls !== true)?.port ?? null;
  log.info(
    {
      version: packageRelease(),
      configuration: resolved.source?.name ?? 'none: alone on this machine',
      mode: plan.mode,
      addresses: addresses.map(addressText),
      ...(httpUrls.length === 0 ? {} : { http: httpUrls }),
      ...(webSocketUrls.length === 0 ? {} : { webSockets: webSocketUrls }),
      user: ownName(),
      pid: process.pid,
    },
    'daemon ready',
  );
  return {
    name: spec.name,
    addresses,
    port,
    httpUrls,
    webSocketUrls,
    threadingMode: plan.mode,
    counters: supervisor.memory.counters,
    closed,
    reopenLog() {
      try {
        if (log.reopen()) log.info({}, 'log file opened again');
      } catch (error) {
        log.error({ reason: (error as Error).message }, 'log file not opened again; the old one stays in use');
        throw error;
      }
    },
    logStatus: () => log.info(statusFields(supervisor.memory.counters, startedMs), 'status'),
    reload: () => reloader.reload(),
    drain: async (drainOptions) => {
      const { drainTimeMs, drainTimeoutMs } = drainTimesOf(drainOptions, {
        drainTimeMs: reloader.options.drainTime,
        drainTimeoutMs: DEFAULT_DRAIN_TIMEOUT_MS,
      });
      return end.drain(drainTimeMs, drainTimeoutMs);
    },
    stop: async (stopOptions) => end.stop(drainTimeoutOf(stopOptions, DEFAULT_DRAIN_TIMEOUT_MS)),
    [Symbol.asyncDispose]: () => end.stop(DEFAULT_DRAIN_TIMEOUT_MS),
  };
}

/** As people write it: `127.0.0.1:4803`, or the path of a Unix socket. */
export const addressText = ({ host, port, path, tls }: DaemonListenAddress): string => {
  const text = path ?? `${host?.includes(':') ? `[${host}]` : host}:${port}`;
  return tls === true ? `tls://${text}` : text;
};

function statusFields(counters: CountersMemory, startedMs: number) {
  const ring = ringCounters(counters);
  let members = 0;
  for (let slot = 0; slot < MEMBER_BIT_SLOTS; slot++) {
    for (let bits = ring[OrderingCounter.MemberBits + slot]! >>> 0; bits !== 0; bits &= bits - 1) members++;
  }
  return {
    uptimeSeconds: Math.floor((performance.now() - startedMs) / 1000),
    members,
    sessions: ring[OrderingCounter.Sessions]!,
    groups: ring[OrderingCounter.Groups]!,
    messages: ring[OrderingCounter.FramesOrdered]!,
    logLinesLost: supervisorCounters(counters)[SupervisorCounter.LogLinesLost]!,
  } satisfies LogFields;
}

/** Paths are relative to the folder of the start, whatever the working folder is now. */
async function loadFrom(folder: string, options: DaemonOptions): Promise<ResolvedDaemonOptions> {
  const { configFile } = options;
  const file = typeof configFile === 'string' ? { configFile: resolve(folder, configFile) } : {};
  const resolved = await loadOptions({ ...options, ...file });
  const { configuration } = resolved;
  return {
    ...resolved,
    configuration: { ...configuration, options: withAbsolutePaths(configuration.options, folder) },
  };
}

/** Worker threads need a built file: beside this one in a build, in `dist/` when this runs from source. */
function workerEntry(): URL {
  const built = new URL('./worker.js', import.meta.url);
  return existsSync(built) ? built : new URL('../dist/worker.js', import.meta.url);
}
