/** A piece of work that a thread runs in turns with others; it knows neither its thread nor its neighbours. */
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
  /** Begins an orderly stop: no new clients, deliveries in progress are finished. */
  drain(): void;
  /** Whether the drain is complete. */
  drained(): boolean;
  /** Lets go of sockets at once. */
  close(): void;
}
