/**
 * The worker threads of a daemon. They are started directly, not through a pool: an agent is pinned to its thread for the life of the daemon, so
 * a pool's queue and balancing have nothing to do, and aborting a pool's task ends the thread without running its clean-up.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import { AgentFailure, ThreadController } from './agent-thread.ts';
import type { BoundAddress } from './delivery/client-listener.ts';
import type { ThreadInspection } from './inspection.ts';
import { ListenFailure } from './listen-failure.ts';
import type { RunningThread, ThreadParts } from './running-thread.ts';
import { SettingsLink } from './settings/settings-link.ts';
import type { SupervisorMessage, WorkerInput, WorkerMessage } from './worker-main.ts';

/** @param workerUrl the built `worker-main` */
export function workerThreads(parts: ThreadParts, workerUrl: URL): readonly RunningThread[] {
  const { threads } = parts.plan;
  const wakeMe: MessagePort[][] = threads.map(() => []);
  const wakeOthers: (MessagePort | null)[][] = threads.map(() => threads.map(() => null));
  const connect = (to: number): MessagePort => {
    const channel = new MessageChannel();
    wakeMe[to]!.push(channel.port2);
    return channel.port1;
  };
  const mine = threads.map((thread, to) => (thread.blocking ? null : connect(to)));
  for (const from of threads.keys()) {
    for (const to of threads.keys()) {
      if (from !== to && !threads[to]!.blocking) wakeOthers[from]![to] = connect(to);
    }
  }
  return threads.map((_, i) =>
    workerThread(parts, workerUrl, { thread: i, wakePort: mine[i]!, wakeOthers: wakeOthers[i]!, wakeMe: wakeMe[i]! }),
  );
}

interface WakePorts {
  /** Index into `plan.threads`. */
  readonly thread: number;
  /** Where the supervisor wakes it; null: it blocks on its doorbell. */
  readonly wakePort: MessagePort | null;
  readonly wakeOthers: WorkerInput['wakeOthers'];
  readonly wakeMe: WorkerInput['wakeMe'];
}

function workerThread(
  { spec, plan, memory, events }: ThreadParts,
  workerUrl: URL,
  { thread, wakePort, wakeOthers, wakeMe }: WakePorts,
): RunningThread {
  const { name, blocking } = plan.threads[thread]!;
  const workerData: WorkerInput = { spec, plan, memory, thread, wakeOthers, wakeMe };
  const transferList = [...wakeMe, ...wakeOthers.filter((port) => port !== null)];
  const worker = new Worker(workerUrl, { name: `skein ${name}`, workerData, transferList, execArgv: [] });
  let refuse: (reason: Error) => void = () => {};
  let accept: (bound: readonly BoundAddress[]) => void = () => {};
  const listening = new Promise<readonly BoundAddress[]>((resolve, reject) => {
    accept = resolve;
    refuse = reject;
  });
  listening.catch(() => {});
  const questions = new Map<number, (inspection: ThreadInspection) => void>();
  let lastQuestion = 0;
  const failed = (failure: AgentFailure): void => {
    refuse(failure);
    events.failed(failure);
  };
  const settings = new SettingsLink((message) => {
    worker.postMessage(message);
    // A thread that blocks reads its messages when it wakes.
    doorbell.ring();
  });
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'log') events.log(message.record);
    else if (message.kind === 'event') events.tell(message.event);
    else if (message.kind === 'report') events.report(message.report);
    else if (message.kind === 'inspection') {
      questions.get(message.question)?.(message.inspection);
      questions.delete(message.question);
    } else if (message.kind === 'settings') settings.answer(message);
    else if (message.kind === 'listening') accept(message.bound);
    else if (message.kind === 'stop-requested') events.stopRequested();
    else if (message.kind === 'cannot-listen') refuse(new ListenFailure(message.fault));
    else {
      const failure = new AgentFailure(message.agent, new Error(message.message));
      failure.stack = message.stack;
      failed(failure);
    }
  });
  worker.on('error', (error) => failed(new AgentFailure(name, error)));
  const own = memory.threads[thread]!;
  const doorbell = new DoorbellRinger(own.doorbell, wakePort === null ? null : () => wakePort.postMessage(0));
  return {
    name,
    controller: new ThreadController(own.control),
    doorbell,
    listen: (addresses, reusePort, clientPort) => {
      const message: SupervisorMessage = { kind: 'listen', addresses, reusePort, clientPort };
      worker.postMessage(message);
      return listening;
    },
    run: () => {
      const message: SupervisorMessage = { kind: 'run' };
      worker.postMessage(message);
    },
    prepare: (snapshot) => settings.prepare(snapshot),
    order: (role, order) => {
      const message: SupervisorMessage = { kind: 'order', role, order };
      worker.postMessage(message);
    },
    inspect: () =>
      new Promise((resolve) => {
        questions.set(++lastQuestion, resolve);
        const message: SupervisorMessage = { kind: 'inspect', question: lastQuestion };
        worker.postMessage(message);
        // A thread that blocks reads its messages when it wakes.
        doorbell.ring();
      }),
    load: () => (blocking ? null : worker.performance.eventLoopUtilization()),
    ended: new Promise((resolve) => {
      worker.on('exit', (code) => {
        wakePort?.close();
        settings.end();
        if (!events.isStopping()) failed(new AgentFailure(name, new Error(`thread ended with code ${code}`)));
        resolve();
      });
    }),
    terminate: () => {
      void worker.terminate();
    },
  };
}
