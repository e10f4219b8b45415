/** Entry of a worker thread: builds its agents, runs them, reports to the supervisor. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { AgentFailure, BlockingThread, EventLoopThread } from './agent-thread.ts';
import type { DaemonEvent } from './daemon-event.ts';
import type { DaemonMemory } from './daemon-memory.ts';
import type { DaemonSpec } from './daemon-spec.ts';
import type { BoundAddress, ListenAddress } from './delivery/client-listener.ts';
import type { ThreadInspection } from './inspection.ts';
import { ListenFailure, type ListenFault } from './listen-failure.ts';
import type { LogRecord } from './log.ts';
import { SettingsDesk } from './settings/settings-desk.ts';
import type { SettingsAnswer, SettingsMessage } from './settings/settings-link.ts';
import { monotonicNow, setUpThread } from './thread-setup.ts';
import type { AgentRole, ThreadingPlan } from './threading.ts';
import type { WatchOrder, WatchReport } from './watch/watch-messages.ts';

export interface WorkerInput {
  readonly spec: DaemonSpec;
  readonly plan: ThreadingPlan;
  readonly memory: DaemonMemory;
  readonly thread: number;
  /** Wake-up ports to the other threads, by thread; null for this one and for threads that block. */
  readonly wakeOthers: readonly (MessagePort | null)[];
  /** Where other threads, and the supervisor, wake this one. */
  readonly wakeMe: readonly MessagePort[];
}

export type SupervisorMessage =
  | SettingsMessage
  /** Tell what you know of sessions and groups, and this number. */
  | { readonly kind: 'inspect'; readonly question: number }
  /** For those who look at the daemon. */
  | { readonly kind: 'order'; readonly role: AgentRole; readonly order: WatchOrder }
  /** Open your sockets on these addresses. */
  | {
      readonly kind: 'listen';
      readonly addresses: readonly ListenAddress[];
      readonly reusePort: boolean;
      readonly clientPort: number;
    }
  /** All sockets of the daemon are open: serve. */
  | { readonly kind: 'run' };

export type WorkerMessage =
  | { readonly kind: 'listening'; readonly bound: readonly BoundAddress[] }
  /** A socket could not be opened; the thread does not run. */
  | { readonly kind: 'cannot-listen'; readonly fault: ListenFault }
  /** A monitor asked for the daemon's end. */
  | { readonly kind: 'stop-requested' }
  | { readonly kind: 'failed'; readonly agent: string; readonly message: string; readonly stack: string }
  | { readonly kind: 'log'; readonly record: LogRecord }
  | { readonly kind: 'event'; readonly event: DaemonEvent }
  | { readonly kind: 'report'; readonly report: WatchReport }
  | SettingsAnswer
  /** Answers `inspect`. */
  | { readonly kind: 'inspection'; readonly question: number; readonly inspection: ThreadInspection };

const input = workerData as WorkerInput;
const port = parentPort!;
const tell = (message: WorkerMessage): void => port.postMessage(message);

function fail(error: unknown): void {
  const failure =
    error instanceof AgentFailure ? error : new AgentFailure(input.plan.threads[input.thread]!.name, error);
  const cause = failure.cause instanceof Error ? failure.cause.stack : undefined;
  // The supervisor makes the same failure of it again: the reason alone, or the prefix would come twice.
  const reason = failure.cause instanceof Error ? failure.cause.message : String(failure.cause);
  tell({ kind: 'failed', agent: failure.agent, message: reason, stack: cause ?? failure.stack ?? '' });
}

const threadPlan = input.plan.threads[input.thread]!;
const memory = input.memory.threads[input.thread]!;
let eventLoop: EventLoopThread | null = null;
const agents = setUpThread({
  spec: input.spec,
  plan: input.plan,
  memory: input.memory,
  thread: input.thread,
  wake: (thread) => input.wakeOthers[thread]?.postMessage(0),
  log: (record) => tell({ kind: 'log', record }),
  tell: (event) => tell({ kind: 'event', event }),
  report: (report) => tell({ kind: 'report', report }),
  schedule: () => eventLoop?.schedule(),
  requestStop: () => tell({ kind: 'stop-requested' }),
});

function run(): void {
  if (threadPlan.blocking) {
    try {
      new BlockingThread(agents.agents, memory, monotonicNow, readMessages).run();
    } catch (error) {
      fail(error);
    }
    endThread();
    return;
  }
  eventLoop = new EventLoopThread(agents.agents, memory, monotonicNow, (failure) => {
    if (failure !== null) fail(failure);
    endThread();
  });
  for (const wakeMe of input.wakeMe) wakeMe.on('message', () => eventLoop?.schedule());
  eventLoop.schedule();
}

/** Nothing keeps the thread alive any more: sockets are closed by their agents, ports here. */
function endThread(): void {
  for (const wakeMe of input.wakeMe) wakeMe.close();
  port.close();
}

const settings = new SettingsDesk((snapshot) => agents.prepare(snapshot), tell);

function handle(message: SupervisorMessage): void {
  if (message.kind === 'prepare-settings' || message.kind === 'apply-settings' || message.kind === 'discard-settings') {
    settings.handle(message);
    return;
  }
  if (message.kind === 'order') {
    agents.order(message.role, message.order);
    return;
  }
  if (message.kind === 'inspect') {
    tell({ kind: 'inspection', question: message.question, inspection: agents.inspect() });
    return;
  }
  if (message.kind === 'run') {
    run();
    return;
  }
  agents.listen(message.addresses, message.reusePort, message.clientPort).then(
    (bound) => tell({ kind: 'listening', bound }),
    (error: unknown) => {
      if (error instanceof ListenFailure) tell({ kind: 'cannot-listen', fault: error.fault });
      else fail(error);
    },
  );
}

function readMessages(): void {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    handle(next.message as SupervisorMessage);
  }
}

port.on('message', handle);
