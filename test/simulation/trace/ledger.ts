/** The trace of a run so far, and its timeline on request. */
import type { TimelineEntry } from './timeline.ts';
import type { ClientTrace, Disruption, MulticastFact, ProcessTrace } from './trace.ts';

export class Ledger {
  readonly processes: ProcessTrace[] = [];
  readonly clients: ClientTrace[] = [];
  readonly multicasts: MulticastFact[] = [];
  readonly disruptions: Disruption[] = [];
  readonly timeline: TimelineEntry[] = [];
  readonly #withTimeline: boolean;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number, withTimeline: boolean) {
    this.#nowMs = nowMs;
    this.#withTimeline = withTimeline;
  }

  /** @param machine what it runs on */
  openProcess(node: number, machine: (process: number) => number, incarnation: number): ProcessTrace {
    const process = this.processes.length;
    const trace: ProcessTrace = {
      process,
      node,
      machine: machine(process),
      incarnation,
      startedAtMs: this.#nowMs(),
      events: [],
      end: 'running',
      endedAtMs: 0,
      unsent: 0,
    };
    this.processes.push(trace);
    return trace;
  }

  processOf(node: number, incarnation: number): number {
    return this.processes.find((known) => known.node === node && known.incarnation === incarnation)?.process ?? -1;
  }

  openClient(process: number, session: number, member: string, wantsViews: boolean): ClientTrace {
    const { length } = this.clients;
    const client = { client: length, process, session, member, wantsViews, events: [], disconnected: false };
    this.clients.push(client);
    return client;
  }

  /** Something happens for `forMs`, which excuses a change of membership. */
  disturb(forMs: number): void {
    const fromMs = this.#nowMs();
    this.disruptions.push({ kind: 'other', fromMs, untilMs: fromMs + forMs });
  }

  note(kind: TimelineEntry['kind'], text: () => string): void {
    if (this.#withTimeline) this.timeline.push({ atMs: this.#nowMs(), kind, text: text() });
  }
}
