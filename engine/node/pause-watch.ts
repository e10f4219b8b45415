/**
 * Detects pauses of the loop so long that others may consider this daemon dead. What waits in the sockets is then taken in before
 * timers are judged: it may say that nothing was lost.
 */
import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** After the loop was away, what waits in the sockets is taken in for this long before timers are judged. */
const PAUSE_GRACE_MS = 2;

export class PauseWatch {
  readonly #context: NodeContext;
  /** When the timers are judged again after a pause; NEVER when there was none. */
  judgeAtMs = NEVER;
  /** Timers up to here were late because of a pause that is over. */
  #endedMs = Number.NEGATIVE_INFINITY;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** There was a pause, and what waited through it is still being taken in. */
  get isOn(): boolean {
    return this.judgeAtMs !== NEVER;
  }

  /** A call comes in at `nowMs`. @param deadlineMs when the next one was asked for */
  note(nowMs: number, deadlineMs: number): void {
    if (this.judgeAtMs !== NEVER) return;
    const dueMs = Math.max(deadlineMs, this.#endedMs);
    if (nowMs - dueMs <= this.#context.options.timeouts.tokenLossMs / 2) return;
    this.#context.counters[RingCounter.Pauses]++;
    this.judgeAtMs = nowMs + PAUSE_GRACE_MS;
  }

  /** @returns whether timers may be judged at `nowMs` */
  mayJudge(nowMs: number): boolean {
    if (this.judgeAtMs === NEVER) return true;
    if (nowMs < this.judgeAtMs) return false;
    this.judgeAtMs = NEVER;
    this.#endedMs = nowMs;
    return true;
  }
}
