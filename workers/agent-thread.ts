/**
 * Runs the agents of one thread in turns and idles between: in the event loop, for threads that own sockets, or blocked on the
 * doorbell, which wakes faster, for threads that own none. No agent can tell the difference.
 *
 * The supervisor steers a thread through shared words: `command` and its argument, written by the supervisor, and `status`, written by the
 * thread.
 */
import { AgentCounter } from '../engine/buffers/counters.ts';
import { DoorbellWaiter } from '../engine/buffers/doorbell.ts';
import { DrainStage } from '../engine/wire/record.ts';
import type { Agent } from './agent.ts';

/**
 * In this order. A thread that misses draining or hanging up catches up on it. Moving is left out by a stop at once, and the meetings with
 * other daemons where the step before was cut short.
 */
export const Command = { Run: 0, Move: 1, Drain: 2, MeetTaken: 3, HangUp: 4, MeetEmpty: 5, Close: 6 } as const;
export type Command = (typeof Command)[keyof typeof Command];

const COMMAND = 0;
const STATUS = 1;
/** How long clients have, in milliseconds; written before the command to move. */
const MOVE_TIME = 2;

export const createThreadControl = (): SharedArrayBuffer => new SharedArrayBuffer(64);

/** The supervisor's side of the words. */
export class ThreadController {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  command(command: Command): void {
    Atomics.store(this.#words, COMMAND, command);
  }

  /** Clients are to move, and have so long. */
  commandMove(timeMs: number): void {
    Atomics.store(this.#words, MOVE_TIME, timeMs);
    this.command(Command.Move);
  }

  /** The command that the thread is through with; `Run`: it is at work on the one it has. */
  done(): Command {
    return Atomics.load(this.#words, STATUS) as Command;
  }
}

/** An agent threw; the daemon cannot continue (architecture: never half alive). */
export class AgentFailure extends Error {
  /** Name of the part: `ring`, `network`, `delivery-0` and so on. */
  readonly agent: string;

  constructor(agent: string, cause: unknown) {
    super(`agent ${agent} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.agent = agent;
  }
}

/**
 * Every agent lets go of its sockets, also when another one of the thread cannot. In the order of a duty cycle: what the ring
 * agent says in leaving still goes out through the network agent behind it.
 * @returns the first failure
 */
export function closeAgents(agents: readonly Agent[]): AgentFailure | null {
  let failure: AgentFailure | null = null;
  for (const agent of agents) {
    try {
      agent.close();
    } catch (error) {
      failure ??= new AgentFailure(agent.name, error);
    }
  }
  return failure;
}

export interface ThreadMemory {
  readonly control: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
}

/** A deadline as near as this has come: what waits for it only wanted input to be read first. */
const DUE_MS = 0.05;
/** How long a sleeping thread goes without looking at its command word. */
const LONGEST_SLEEP_MS = 100;
/** A thread may be asked whether it is drained this often while it is idle. */
const DRAIN_POLL_MS = 5;
/** A thread that never idles reads its messages after so many duty cycles: some milliseconds. */
const BUSY_CYCLES_PER_READ = 256;

abstract class AgentThread {
  protected readonly waiter: DoorbellWaiter;
  readonly #words: Int32Array;
  readonly #agents: readonly Agent[];
  protected readonly now: () => number;
  /** The last command that was begun. */
  #begun: Command = Command.Run;

  constructor(agents: readonly Agent[], memory: ThreadMemory, now: () => number) {
    this.#agents = agents;
    this.now = now;
    this.#words = new Int32Array(memory.control);
    this.waiter = new DoorbellWaiter(memory.doorbell);
  }

  /** One duty cycle of every agent. @throws AgentFailure when one of them did; all have let go of their sockets then */
  protected cycle(): number {
    const nowMs = this.now();
    let work = 0;
    for (const agent of this.#agents) {
      try {
        const done = agent.doWork(nowMs);
        agent.counters[AgentCounter.DutyCycles]!++;
        if (done > 0) agent.counters[AgentCounter.BusyCycles]!++;
        work += done;
      } catch (error) {
        closeAgents(this.#agents);
        throw new AgentFailure(agent.name, error);
      }
    }
    if (work > 0) this.#measure(nowMs);
    return work;
  }

  protected hasWork(): boolean {
    for (const agent of this.#agents) if (agent.hasWork()) return true;
    return false;
  }

  protected countSleep(): void {
    for (const agent of this.#agents) agent.counters[AgentCounter.Sleeps]!++;
  }

  /** Milliseconds the thread may sleep. */
  protected sleepMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const agent of this.#agents) deadlineMs = Math.min(deadlineMs, agent.nextDeadlineMs());
    return Math.max(
      0,
      Math.min(deadlineMs - this.now(), this.#begun !== Command.Run ? DRAIN_POLL_MS : LONGEST_SLEEP_MS),
    );
  }

  /** Obeys the supervisor. @returns false when the thread is to end */
  protected obey(): boolean {
    const command = Atomics.load(this.#words, COMMAND) as Command;
    if (command === Command.Run) return true;
    if (command !== this.#begun) this.#begin(command);
    if (command === Command.Close) {
      const failure = closeAgents(this.#agents);
      Atomics.store(this.#words, STATUS, Command.Close);
      if (failure !== null) throw failure;
      return false;
    }
    const isDone = this.#agents.every((agent) => agent.drained());
    Atomics.store(this.#words, STATUS, isDone ? command : Command.Run);
    return true;
  }

  #begin(command: Command): void {
    const before = this.#begun;
    this.#begun = command;
    for (const agent of this.#agents) {
      if (command === Command.Move) {
        agent.move(Atomics.load(this.#words, MOVE_TIME));
        continue;
      }
      if (before < Command.Drain) agent.drain();
      if (command === Command.MeetTaken) agent.meet(DrainStage.Taken);
      if (before < Command.HangUp && command >= Command.HangUp && command < Command.Close) agent.hangUp();
      if (command === Command.MeetEmpty) agent.meet(DrainStage.Empty);
    }
  }

  #measure(startedMs: number): void {
    const cycleUs = (this.now() - startedMs) * 1000;
    for (const agent of this.#agents) {
      if (cycleUs > agent.counters[AgentCounter.LongestCycleUs]!) agent.counters[AgentCounter.LongestCycleUs] = cycleUs;
    }
  }
}

/** For threads with sockets: cycles run from `setImmediate`, after each round of input, as long as there is work. */
export class EventLoopThread extends AgentThread {
  readonly #onEnd: (failure: AgentFailure | null) => void;
  #scheduled = false;
  #ended = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = 0;
  readonly #run = (): void => this.#runCycle();

  constructor(
    agents: readonly Agent[],
    memory: ThreadMemory,
    now: () => number,
    onEnd: (failure: AgentFailure | null) => void,
  ) {
    super(agents, memory, now);
    this.#onEnd = onEnd;
  }

  /** Asks for a cycle in this round of the event loop; called by sockets that brought work and by the doorbell. */
  schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  #runCycle(): void {
    this.#scheduled = false;
    if (this.#ended) return;
    this.waiter.awake();
    try {
      if (!this.obey()) {
        this.#end(null);
        return;
      }
      // After work, agents are asked once more at once: finding nothing here spares a round of the event loop.
      if (this.cycle() > 0 && (this.hasWork() || this.cycle() > 0)) {
        this.schedule();
        return;
      }
    } catch (error) {
      this.#end(error instanceof AgentFailure ? error : new AgentFailure('thread', error));
      return;
    }
    this.waiter.prepareToSleep();
    if (this.hasWork()) {
      this.schedule();
      return;
    }
    this.#sleep();
  }

  /**
   * The event loop does the sleeping; only deadlines need help. One that is due is met by going round the loop, which lets input that
   * waits in the kernel in first. Nobody spins for the others: on few cores the next daemon of the ring needs them. A timer that
   * fires too early is cheaper than moving it each time.
   */
  #sleep(): void {
    const sleepMs = this.sleepMs();
    if (sleepMs < DUE_MS) {
      this.schedule();
      return;
    }
    this.countSleep();
    const atMs = this.now() + sleepMs;
    if (this.#timer !== null) {
      if (this.#timerAtMs <= atMs) return;
      clearTimeout(this.#timer);
    }
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.schedule();
    }, sleepMs);
  }

  #end(failure: AgentFailure | null): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#onEnd(failure);
  }
}

/** For threads without sockets: blocks on the doorbell. `run` returns when the supervisor closes the thread. */
export class BlockingThread extends AgentThread {
  readonly #readMessages: () => void;

  /** @param readMessages takes what the supervisor has sent, which the blocked event loop cannot deliver */
  constructor(agents: readonly Agent[], memory: ThreadMemory, now: () => number, readMessages: () => void) {
    super(agents, memory, now);
    this.#readMessages = readMessages;
  }

  /** @throws AgentFailure */
  run(): void {
    let busyCycles = 0;
    while (this.obey()) {
      if (this.cycle() > 0) {
        if (++busyCycles % BUSY_CYCLES_PER_READ === 0) this.#readMessages();
        continue;
      }
      this.waiter.prepareToSleep();
      if (this.hasWork()) {
        this.waiter.awake();
        continue;
      }
      this.countSleep();
      this.#readMessages();
      this.waiter.block(this.sleepMs());
    }
  }
}
