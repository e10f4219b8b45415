/** The values that checks judge, from the daemon's own metrics; keeps earlier ones to compute increases. */
import type { Registry } from 'prom-client';
import { CHECK_WINDOW_MINUTES, CHECKS, type CheckTerm } from './checks.ts';

/** How often increases are noted. */
const NOTE_MS = 10_000;
const WINDOW_MS = CHECK_WINDOW_MINUTES * 60_000;

interface Note {
  readonly atMs: number;
  readonly sums: ReadonlyMap<string, number>;
}

interface Point {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
}

const INCREASING: ReadonlySet<string> = new Set(
  CHECKS.flatMap(({ value, of }) => [value, ...(of === undefined ? [] : [of])])
    .filter(({ increase }) => increase === true)
    .map(({ metric }) => metric),
);

export class CheckValues {
  readonly #registry: Registry;
  readonly #notes: Note[] = [];
  #notedMs = Number.NEGATIVE_INFINITY;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Every second or so. @param nowMs monotonic */
  async note(nowMs: number): Promise<void> {
    if (nowMs - this.#notedMs < NOTE_MS) return;
    this.#notedMs = nowMs;
    const sums = new Map<string, number>();
    for (const metric of INCREASING) sums.set(metric, total(await this.#points({ metric, by: 'sum' }), 'sum'));
    this.#notes.push({ atMs: nowMs, sums });
    // One that is older than the window stays, to count from.
    while (this.#notes.length > 1 && nowMs - this.#notes[1]!.atMs >= WINDOW_MS) this.#notes.shift();
  }

  /** By name of the check. That the daemon is up, it need not say. */
  async values(): Promise<Readonly<Record<string, number | null>>> {
    const found: Record<string, number | null> = {};
    for (const { name, value, of } of CHECKS) {
      if (name === 'up') found[name] = 1;
      else if (of === undefined) found[name] = await this.#value(value);
      else found[name] = ratio(await this.#value(value), await this.#value(of));
    }
    return found;
  }

  async #value(term: CheckTerm): Promise<number | null> {
    const points = await this.#points(term);
    if (points.length === 0) return null;
    const now = total(points, term.by);
    return term.increase === true ? now - (this.#notes[0]?.sums.get(term.metric) ?? 0) : now;
  }

  async #points({ metric, labels = {} }: CheckTerm): Promise<readonly Point[]> {
    const found = await this.#registry.getSingleMetric(metric)?.get();
    const points: readonly Point[] = found?.values ?? [];
    return points.filter((point) => Object.entries(labels).every(([name, value]) => point.labels[name] === value));
  }
}

const total = (points: readonly Point[], by: CheckTerm['by']): number =>
  points.reduce((all, { value }) => (by === 'sum' ? all + value : Math.max(all, value)), 0);

const ratio = (part: number | null, of: number | null): number | null => {
  if (part === null || of === null) return null;
  return of === 0 ? 0 : part / of;
};
