import type { DrainStage } from '../engine/wire/record.ts';

/** A piece of work that a thread runs in turns with others; it depends neither on its thread nor on its neighbours. */
export interface Agent {
  readonly name: string;
  /** Counters block of this agent. */
  readonly counters: Float64Array;
  /** One duty cycle. @returns how much it did; 0 lets the thread idle */
  doWork(nowMs: number): number;
  /** When `doWork` must run next although nothing happens, on the clock of `nowMs`. Infinity: never. */
  nextDeadlineMs(): number;
  /** Whether input waits in shared memory; asked once more before the thread sleeps. */
  hasWork(): boolean;
  /**
   * Goes before an orderly stop, or is left out: no new clients, and those that understand it are told to move to other daemons.
   * @param timeMs that they have
   */
  move(timeMs: number): void;
  /** Begins an orderly stop: no new clients; what those who are here have sent is ordered and delivered. */
  drain(): void;
  /** The second step of an orderly stop, when all agents have drained or time is short: clients are told that this is the end. */
  hangUp(): void;
  /**
   * After each of the two steps, once this daemon is through with it: waits for the daemons of the ring that stop at the same time.
   * @param stage that this daemon has come to
   */
  meet(stage: DrainStage): void;
  /** Whether the present step of the stop is complete. */
  drained(): boolean;
  /** Lets go of sockets at once. */
  close(): void;
}
