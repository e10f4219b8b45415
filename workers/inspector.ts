/** Requests reports on sessions and groups from the threads of a daemon, one for all readers, at most once a second. */
import { type Inspection, NOTHING_TO_REPORT, type ThreadInspection } from './inspection.ts';

/** An answer is good for so long. */
const FRESH_MS = 1000;
/** A thread that takes longer is left out; its answer is taken when it comes. */
const PATIENCE_MS = 1000;

export interface InspectedThread {
  readonly name: string;
  readonly inspect: () => Promise<ThreadInspection>;
}

/** What several agents know of different things. */
export const together = (parts: readonly ThreadInspection[]): ThreadInspection =>
  parts.reduce(
    (all, part) => ({
      sessions: [...all.sessions, ...part.sessions],
      sessionCount: all.sessionCount + part.sessionCount,
      ended: [...all.ended, ...part.ended],
      groups: [...all.groups, ...part.groups],
      groupCount: all.groupCount + part.groupCount,
    }),
    NOTHING_TO_REPORT,
  );

export class Inspector {
  readonly #now: () => number;
  /** The last answer of each thread, by name. */
  readonly #last = new Map<string, ThreadInspection>();
  /** Threads that have not answered yet are not asked again. */
  readonly #pending = new Map<string, Promise<number>>();
  #asked: Promise<Inspection> | null = null;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** At most a second old. Never rejects. */
  look(threads: readonly InspectedThread[]): Promise<Inspection> {
    const nowMs = this.#now();
    if (this.#asked === null || nowMs - this.#askedMs >= FRESH_MS) {
      this.#askedMs = nowMs;
      this.#asked = this.#ask(threads);
    }
    return this.#asked;
  }

  async #ask(threads: readonly InspectedThread[]): Promise<Inspection> {
    const answers = await Promise.all(threads.map((thread) => this.#askOne(thread)));
    const parts = threads.map(({ name }) => this.#last.get(name) ?? NOTHING_TO_REPORT);
    return { ...together(parts), answers };
  }

  async #askOne({ name, inspect }: InspectedThread): Promise<Inspection['answers'][number]> {
    const askedMs = this.#now();
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), PATIENCE_MS);
    });
    const pending = this.#pending.get(name);
    const answered =
      pending ??
      inspect().then((part) => {
        this.#last.set(name, part);
        this.#pending.delete(name);
        return this.#now() - askedMs;
      });
    this.#pending.set(name, answered);
    const tookMs = await Promise.race([answered, tooLate]);
    clearTimeout(timer);
    return { thread: name, tookMs };
  }
}
