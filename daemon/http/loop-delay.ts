/** How late the event loop of this thread is: percentiles of the last seconds. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
/** Reported values cover the last five to ten seconds. */
const WINDOW_MS = 5000;

export const LOOP_PERCENTILES = ['50', '99', '100'] as const;
export type LoopPercentile = (typeof LOOP_PERCENTILES)[number];

export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #beganMs = 0;
  #before: Readonly<Record<LoopPercentile, number>> = { '50': 0, '99': 0, '100': 0 };

  start(): void {
    this.#histogram.enable();
    this.#beganMs = performance.now();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Once a second. */
  look(): void {
    if (performance.now() - this.#beganMs < WINDOW_MS) return;
    this.#before = this.#now();
    this.#histogram.reset();
    this.#beganMs = performance.now();
  }

  /** Seconds. */
  read(percentile: LoopPercentile): number {
    return Math.max(this.#before[percentile], this.#now()[percentile]);
  }

  /** The histogram has the time between two looks of its own, of which the resolution is meant to be. */
  #now(): Readonly<Record<LoopPercentile, number>> {
    const seconds = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000) : 0);
    const histogram = this.#histogram;
    if (!(histogram.max > 0)) return { '50': 0, '99': 0, '100': 0 };
    return {
      '50': seconds(histogram.percentile(50)),
      '99': seconds(histogram.percentile(99)),
      '100': seconds(histogram.max),
    };
  }
}
