/** Keeps what strangers can cause from filling the log: each thing is said once a minute. */
const PERIOD_MS = 60_000;
/** Different things within a minute; more than this are not said. */
const MAX_THINGS = 32;

export class OnceAMinute {
  readonly #saidAtMs = new Map<string, number>();

  /** Whether `thing` may be said now; if so, it counts as said. */
  allows(thing: string, nowMs: number): boolean {
    const saidAtMs = this.#saidAtMs.get(thing);
    if (saidAtMs !== undefined && nowMs - saidAtMs < PERIOD_MS) return false;
    if (saidAtMs === undefined && this.#saidAtMs.size >= MAX_THINGS) this.#forget(nowMs);
    if (this.#saidAtMs.size >= MAX_THINGS) return false;
    this.#saidAtMs.set(thing, nowMs);
    return true;
  }

  #forget(nowMs: number): void {
    for (const [thing, saidAtMs] of this.#saidAtMs) {
      if (nowMs - saidAtMs >= PERIOD_MS) this.#saidAtMs.delete(thing);
    }
  }
}
