/** Running agents, in a worker thread or in the caller's: what the supervisor needs of them. */
import type { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import type { AgentFailure, ThreadController } from './agent-thread.ts';
import type { DaemonEvent } from './daemon-event.ts';
import type { DaemonMemory } from './daemon-memory.ts';
import type { DaemonSpec } from './daemon-spec.ts';
import type { BoundAddress, ListenAddress } from './delivery/client-listener.ts';
import type { ThreadInspection } from './inspection.ts';
import type { LogRecord } from './log.ts';
import type { SettingsSnapshot } from './settings/settings-snapshot.ts';
import type { Prepared } from './settings/two-steps.ts';
import type { AgentRole, ThreadingPlan } from './threading.ts';
import type { WatchOrder, WatchReport } from './watch/watch-messages.ts';

export interface RunningThread {
  readonly name: string;
  readonly controller: ThreadController;
  readonly doorbell: DoorbellRinger;
  /** Resolves with the addresses it listens on. */
  readonly listen: (
    addresses: readonly ListenAddress[],
    reusePort: boolean,
    clientPort: number,
  ) => Promise<readonly BoundAddress[]>;
  /** After `listen`: begins to serve, and to obey. */
  readonly run: () => void;
  readonly prepare: (snapshot: SettingsSnapshot) => Prepared | Promise<Prepared>;
  readonly order: (role: AgentRole, order: WatchOrder) => void;
  /** Never resolves when the thread ends before. */
  readonly inspect: () => Promise<ThreadInspection>;
  /** Null: it waits outside of its event loop, which then looks busy. */
  readonly load: () => { readonly active: number; readonly idle: number } | null;
  readonly ended: Promise<void>;
  readonly terminate: () => void;
}

/** What every thread is made of. */
export interface ThreadParts {
  readonly spec: DaemonSpec;
  readonly plan: ThreadingPlan;
  readonly memory: DaemonMemory;
  readonly events: ThreadEvents;
}

/** What threads report to the supervisor. */
export interface ThreadEvents {
  log(record: LogRecord): void;
  /** What an operator follows. */
  tell(event: DaemonEvent): void;
  /** For those who look at the daemon. */
  report(report: WatchReport): void;
  /** A monitor requests the orderly end of the daemon: call `stop`. */
  stopRequested(): void;
  /** An agent threw, or the thread ended by itself. */
  failed(failure: AgentFailure): void;
  /** Whether the daemon stops, so that threads may end. */
  isStopping(): boolean;
}
