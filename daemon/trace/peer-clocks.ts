/**
 * How far the clocks of other daemons' machines are ahead. A question and its answer say it, to half of the time that they were on their way;
 * the best comparison of the last minutes is used.
 */
import type { Tell } from './peer-words.ts';

/** Milliseconds. */
export interface ClockOffset {
  readonly offsetMs: number;
  readonly errorMs: number;
}

interface Comparison extends ClockOffset {
  readonly at: number;
}

/** Clocks of machines drift apart by less than this part. */
const DRIFT = 0.0002;

export class PeerClocks {
  readonly #best = new Map<string, Comparison>();

  /** @param askedAt and `heardAt`: by this machine's clock */
  compare(
    daemon: string,
    askedAt: number,
    { heardAt, tell }: { readonly heardAt: number; readonly tell: Tell },
  ): ClockOffset {
    const now: Comparison = {
      at: heardAt,
      offsetMs: (tell.heardAt - askedAt + (tell.saidAt - heardAt)) / 2,
      errorMs: Math.max(0, (heardAt - askedAt - (tell.saidAt - tell.heardAt)) / 2),
    };
    const before = this.#best.get(daemon);
    const aged = before === undefined ? null : { ...before, errorMs: before.errorMs + (heardAt - before.at) * DRIFT };
    // A machine that was started anew has another clock: what contradicts the new comparison is out of date.
    const isBetter =
      aged !== null &&
      aged.errorMs < now.errorMs &&
      Math.abs(aged.offsetMs - now.offsetMs) <= aged.errorMs + now.errorMs;
    if (isBetter) return { offsetMs: aged.offsetMs, errorMs: aged.errorMs };
    this.#best.set(daemon, now);
    return { offsetMs: now.offsetMs, errorMs: now.errorMs };
  }
}
