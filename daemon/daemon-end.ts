/** The orderly end of a daemon, with or without time for its clients to move. Whoever asks first decides; all get the same promise. */
import { SupervisorCounter, supervisorCounters } from '../engine/buffers/counters.ts';
import { readCounters } from '../engine/buffers/read-counters.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { DaemonLog } from './daemon-log.ts';
import type { StopReport } from './http/status-types.ts';

/** Time of a stop, behind the time for clients to move. */
export const DEFAULT_DRAIN_TIMEOUT_MS = 2000;

/** Who looks at the daemon, as far as they have to do with its end. */
export interface EndWatch {
  draining(): void;
  stopped(report: StopReport): void;
  close(): Promise<void>;
}

export interface DaemonEndParts {
  readonly supervisor: Supervisor;
  readonly log: DaemonLog;
  readonly watch: EndWatch;
  /** The daemon has stopped, and nothing failed. */
  readonly settled: () => void;
}

export class DaemonEnd {
  readonly #parts: DaemonEndParts;
  #ended: Promise<void> | null = null;

  constructor(parts: DaemonEndParts) {
    this.#parts = parts;
  }

  /** As `Daemon.drain`. */
  drain(drainTimeMs: number, drainTimeoutMs: number): Promise<void> {
    if (this.#ended !== null) return this.#ended;
    const { log, supervisor } = this.#parts;
    log.info({ drainTimeMs, drainTimeoutMs }, 'daemon drains: clients are told to move, then it stops');
    return this.#end(supervisor.drain(drainTimeMs, drainTimeoutMs));
  }

  /** Somebody requests it over HTTP. */
  requested(isAtOnce: boolean, peer: string, drainTimeMs: number): void {
    this.#parts.log.warn({ isAtOnce, peer }, 'end requested over http');
    if (isAtOnce) void this.stop(DEFAULT_DRAIN_TIMEOUT_MS);
    else void this.drain(drainTimeMs, DEFAULT_DRAIN_TIMEOUT_MS);
  }

  /** As `Daemon.stop`; ends the waiting of a drain. */
  stop(drainTimeoutMs: number): Promise<void> {
    const stopping = this.#parts.supervisor.stop(drainTimeoutMs);
    return this.#ended ?? this.#end(stopping);
  }

  #end(ending: Promise<void>): Promise<void> {
    const { supervisor, watch } = this.#parts;
    supervisorCounters(supervisor.memory.counters)[SupervisorCounter.Draining] = 1;
    watch.draining();
    this.#ended = ending.then(() => this.#finish());
    return this.#ended;
  }

  async #finish(): Promise<void> {
    const { supervisor, log, watch, settled } = this.#parts;
    if (supervisor.failure !== null) return;
    const report = stopReport(supervisor);
    watch.stopped(report);
    await watch.close();
    log.info({ ...report }, 'daemon stopped');
    await log.close();
    settled();
  }
}

function stopReport({ memory }: Supervisor): StopReport {
  const counters = readCounters(memory.counters);
  return {
    sessionsMoved: counters.sessionsMoved,
    sessionsNotTold: counters.sessionsNotTold,
    sessionsCut: counters.sessionsCutOff,
    bytesUnread: counters.bytesNotTaken,
    bytesNotOrdered: counters.bytesNotOrdered,
    messagesNotDelivered: counters.messagesNotDelivered,
    packetsUnstable: counters.packetsUnstable,
  };
}
