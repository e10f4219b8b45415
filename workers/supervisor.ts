/**
 * Starts the threads of a daemon, watches them, and stops them. It runs in the caller's thread and does none of the hot work, but in
 * mode `inline`, where it hosts the agents itself.
 */
import { type AgentFailure, Command } from './agent-thread.ts';
import { createDaemonMemory, type DaemonMemory } from './daemon-memory.ts';
import type { DaemonSpec } from './daemon-spec.ts';
import type { BoundAddress, ListenAddress } from './delivery/client-listener.ts';
import { inlineThread } from './inline-thread.ts';
import type { Inspection } from './inspection.ts';
import { Inspector } from './inspector.ts';
import { logReaders } from './log-readers.ts';
import type { RunningThread, ThreadEvents, ThreadParts } from './running-thread.ts';
import type { SettingsSnapshot } from './settings/settings-snapshot.ts';
import type { Preparation } from './settings/two-steps.ts';
import { monotonicNow, tcpPort } from './thread-setup.ts';
import { type AgentRole, hasReusePort, type ThreadingPlan } from './threading.ts';
import type { WatchOrder } from './watch/watch-messages.ts';
import { workerThreads } from './worker-threads.ts';

export interface SupervisorEvents extends Pick<ThreadEvents, 'log' | 'tell' | 'report' | 'stopRequested'> {
  /** A thread ended without a stop of the daemon; all others have been closed. */
  failed(failure: AgentFailure): void;
}

/** How often the supervisor looks whether a drain is complete. */
const DRAIN_POLL_MS = 5;
/** Looks in a row that must find it so: one thread may hand over to another between two looks. */
const DRAIN_LOOKS = 3;
/** Whether all daemons that stop have met is the ring agent's alone to say. */
const MEETING_LOOKS = 1;
/** What is left of the drain time, at most, for clients to hang up after they were told of the end. */
const GOODBYE_MS = 1500;
/** And at most this part of it. */
const GOODBYE_PART = 1 / 2;
/** How long threads may take to close after they were told. */
export const CLOSE_TIMEOUT_MS = 2000;

/** How long the event loop of a thread was busy and idle since its start. */
export interface ThreadLoad {
  readonly thread: string;
  readonly activeMs: number;
  readonly idleMs: number;
}

export class Supervisor {
  readonly memory: DaemonMemory;
  readonly #spec: DaemonSpec;
  readonly #plan: ThreadingPlan;
  readonly #events: SupervisorEvents;
  readonly #workerUrl: URL;
  #threads: readonly RunningThread[] = [];
  /** Threads with open sockets that do not run yet. */
  readonly #listening = new Set<RunningThread>();
  /** Threads that run their loop, and so obey commands. */
  readonly #obeying = new Set<RunningThread>();
  #stopping = false;
  /** When the waiting for clients that move is over, and the drain time of the stop behind it. */
  #movedByMs = 0;
  #drainTimeoutMs = 0;
  /** The orderly stop, or the close after a failure; null: neither has begun. */
  #ending: Promise<void> | null = null;
  #failure: AgentFailure | null = null;
  readonly #inspector = new Inspector(monotonicNow);

  /** @param workerUrl the built `worker-main` */
  constructor(spec: DaemonSpec, plan: ThreadingPlan, workerUrl: URL, events: SupervisorEvents) {
    this.#spec = spec;
    this.#plan = plan;
    this.#events = events;
    this.#workerUrl = workerUrl;
    this.memory = createDaemonMemory(
      plan.deliveryWorkers,
      plan.threads.length,
      logReaders(plan).length,
      spec.delivery.maxSessions,
    );
  }

  /**
   * Resolves when every socket listens and all threads serve.
   * @param beforeServing called in between: what needs open sockets, and must be done before any client is served
   * @throws (rejects) ListenFailure, what `beforeServing` threw, or AgentFailure; nothing keeps running then
   */
  async start(beforeServing: () => void = () => {}): Promise<readonly BoundAddress[]> {
    const parts: ThreadParts = {
      spec: this.#spec,
      plan: this.#plan,
      memory: this.memory,
      events: this.#threadEvents(),
    };
    this.#threads = this.#plan.mode === 'inline' ? [inlineThread(parts)] : workerThreads(parts, this.#workerUrl);
    try {
      const bound = await this.#listen();
      beforeServing();
      for (const thread of this.#threads) this.#run(thread);
      return bound;
    } catch (error) {
      // They let go of what they opened: the command to close is the first thing that they obey.
      this.#command([...this.#listening], Command.Close);
      for (const thread of this.#listening) this.#run(thread);
      await this.#close();
      throw error;
    }
  }

  #threadEvents(): ThreadEvents {
    return {
      log: (record) => this.#events.log(record),
      tell: (event) => this.#events.tell(event),
      report: (report) => this.#events.report(report),
      stopRequested: () => this.#events.stopRequested(),
      failed: (failure) => this.#fail(failure),
      isStopping: () => this.#stopping,
    };
  }

  #run(thread: RunningThread): void {
    this.#listening.delete(thread);
    this.#obeying.add(thread);
    thread.run();
  }

  /** Settings that may change while the daemon runs, for each thread, which prepares its part of them and then applies it. */
  preparations(snapshot: SettingsSnapshot): readonly Preparation[] {
    return this.#threads.map(({ name, prepare }) => ({ name, prepare: () => prepare(snapshot) }));
  }

  /** Has one agent do something for those who look at the daemon. */
  order(role: AgentRole, order: WatchOrder): void {
    const thread = this.#threads[this.#plan.threads.findIndex(({ roles }) => roles.includes(role))];
    thread?.order(role, order);
    // A thread that blocks reads its messages when it wakes.
    thread?.doorbell.ring();
  }

  /** Sessions and groups, one by one, as they were at most a second ago. */
  inspect(): Promise<Inspection> {
    return this.#inspector.look(this.#threads);
  }

  /** Of the threads that wait in their event loops. */
  loads(): readonly ThreadLoad[] {
    return this.#threads.flatMap(({ name, load }) => {
      const busy = load();
      return busy === null ? [] : [{ thread: name, activeMs: busy.active, idleMs: busy.idle }];
    });
  }

  /**
   * Stops accepting; orders and delivers what clients have sent; ends their connections, and orders what they sent until they learned
   * of it; leaves the ring; closes all. Daemons of the ring that stop at the same time wait for each other after each of the first two
   * steps. What is not done within `drainTimeoutMs` is cut off.
   */
  stop(drainTimeoutMs: number): Promise<void> {
    if (this.#ending === null) this.#ending = this.#stop(drainTimeoutMs);
    else this.#hurry(drainTimeoutMs);
    return this.#ending;
  }

  /**
   * Stops accepting, tells the clients that understand it to move to other daemons, and serves all of them until those are gone, but no longer
   * than `drainTimeMs`. Then as `stop`, which also ends the waiting when it is called meanwhile.
   */
  drain(drainTimeMs: number, drainTimeoutMs: number): Promise<void> {
    this.#ending ??= this.#drain(drainTimeMs, drainTimeoutMs);
    return this.#ending;
  }

  /** What failed, also during a stop; `failed` is called for it when all is closed. */
  get failure(): AgentFailure | null {
    return this.#failure;
  }

  async #drain(drainTimeMs: number, drainTimeoutMs: number): Promise<void> {
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#movedByMs = monotonicNow() + drainTimeMs;
    for (const { controller, doorbell } of this.#threads) {
      controller.commandMove(drainTimeMs);
      doorbell.ring();
    }
    await this.#done(Command.Move, () => this.#movedByMs, DRAIN_LOOKS);
    if (this.#failure === null) await this.#stop(this.#drainTimeoutMs);
    else await this.#close();
  }

  #hurry(drainTimeoutMs: number): void {
    this.#movedByMs = 0;
    this.#drainTimeoutMs = Math.min(this.#drainTimeoutMs, drainTimeoutMs);
  }

  async #stop(drainTimeoutMs: number): Promise<void> {
    this.#stopping = true;
    const deadlineMs = monotonicNow() + drainTimeoutMs;
    const takenByMs = deadlineMs - Math.min(GOODBYE_MS, drainTimeoutMs * GOODBYE_PART);
    // Other daemons believe what is announced at a meeting, so a step that was cut short is not followed by one.
    if (await this.#step(Command.Drain, takenByMs)) await this.#step(Command.MeetTaken, takenByMs, MEETING_LOOKS);
    if (await this.#step(Command.HangUp, deadlineMs)) await this.#step(Command.MeetEmpty, deadlineMs, MEETING_LOOKS);
    await this.#close();
  }

  /**
   * Gives the command and waits until all threads have obeyed it, but not beyond `deadlineMs`.
   * @returns whether they have
   */
  async #step(command: Command, deadlineMs: number, looksWanted = DRAIN_LOOKS): Promise<boolean> {
    this.#command(this.#threads, command);
    return this.#done(command, () => deadlineMs, looksWanted);
  }

  async #done(command: Command, deadlineMs: () => number, looksWanted: number): Promise<boolean> {
    let looks = 0;
    while (looks < looksWanted && monotonicNow() < deadlineMs() && this.#failure === null) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
      looks = this.#threads.every((thread) => thread.controller.done() === command) ? looks + 1 : 0;
    }
    return looks === looksWanted;
  }

  /** Ring first, so that its last datagrams find the network agent alive; then everything else. */
  async #close(): Promise<void> {
    this.#stopping = true;
    for (const thread of this.#threads) if (!this.#obeying.has(thread)) thread.terminate();
    const isRing = (_: RunningThread, i: number): boolean => this.#plan.threads[i]!.roles.includes('ring');
    await this.#closeThreads(this.#threads.filter(isRing));
    await this.#closeThreads(this.#threads);
    for (const thread of this.#threads) thread.terminate();
  }

  async #closeThreads(threads: readonly RunningThread[]): Promise<void> {
    this.#command(threads, Command.Close);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([Promise.all(threads.map((thread) => thread.ended)), timeout]);
    clearTimeout(timer);
  }

  /**
   * The first delivery worker opens the ports; the others share them: with the kernel's help where Node has it, else through the
   * descriptors of the first.
   */
  async #listen(): Promise<readonly BoundAddress[]> {
    const reusePort = this.#plan.deliveryWorkers > 1 && hasReusePort(process.versions.node);
    const bound: BoundAddress[] = [];
    const serves = (i: number): boolean => this.#plan.threads[i]!.roles.some((role) => typeof role === 'number');
    // Clients' addresses first: the network agent of a lone daemon follows the port they got.
    const order = [...this.#threads.keys()].sort((a, b) => Number(serves(b)) - Number(serves(a)));
    for (const i of order) {
      const addresses = serves(i) ? this.#addressesFor(bound, reusePort) : [];
      const opened = await this.#threads[i]!.listen(addresses, reusePort, tcpPort(bound) ?? 0);
      this.#listening.add(this.#threads[i]!);
      if (bound.length === 0) bound.push(...opened);
    }
    return bound;
  }

  #addressesFor(bound: readonly BoundAddress[], reusePort: boolean): readonly ListenAddress[] {
    if (bound.length === 0) return this.#spec.listen;
    return bound.flatMap(({ address, fd }): readonly ListenAddress[] => {
      if (reusePort && address.kind !== 'unix') return [address];
      if (fd === -1 || address.kind === 'shared') return [];
      return [{ kind: 'shared', fd, of: address.kind === 'unix' ? 'tcp' : address.kind }];
    });
  }

  #command(threads: readonly RunningThread[], command: Command): void {
    for (const thread of threads) {
      thread.controller.command(command);
      thread.doorbell.ring();
    }
  }

  #fail(failure: AgentFailure): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#ending ??= this.#close();
    void this.#ending.then(() => this.#events.failed(failure));
  }
}
