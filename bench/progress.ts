/** Progress: on a terminal one line that is rewritten, elsewhere one line per finished run. */
import type { PlannedRun } from './plan.ts';
import type { Run } from './report-schema.ts';

const clock = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

const quantity = (value: number): string => {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M/s`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} k/s` : `${value.toFixed(0)} /s`;
};

/** One finished run as a line. */
export function describeRun(run: Run): string {
  const head = `${run.scenario.padEnd(26)} ${run.system.padEnd(18)} #${run.repeat}`;
  const { metrics } = run;
  if (metrics === null) return `${head}  failed: ${run.error}`;
  const speed =
    metrics.latency === null
      ? `${quantity(metrics.deliveriesPerSecond).padStart(10)} deliveries (${quantity(metrics.messagesPerSecond)} messages) ${metrics.megabytesPerSecond.toFixed(0).padStart(6)} MB/s`
      : `p50 ${metrics.latency.p50Us.toFixed(0)} p99 ${metrics.latency.p99Us.toFixed(0)} p99.9 ${metrics.latency.p999Us.toFixed(0)} us at ${quantity(run.ratePerSecond ?? 0)}`;
  const own =
    metrics.lateness === null
      ? ''
      : `, generator late p50 ${metrics.lateness.p50Us.toFixed(0)} p99 ${metrics.lateness.p99Us.toFixed(0)} us`;
  const cost = `cpu ${metrics.systemCores.toFixed(2)} + ${metrics.generatorCores.toFixed(2)}`;
  const trouble =
    (metrics.lost > 0 ? `, LOST ${metrics.lost}` : '') +
    (metrics.disorder > 0 ? `, DISORDER ${metrics.disorder}` : '') +
    (metrics.oneOrder === false ? ', orders differ' : '');
  return `${head}  ${speed}, ${cost}, ${(metrics.systemPeakResidentBytes / 2 ** 20).toFixed(0)} MB${own}${trouble}`;
}

export class Progress {
  readonly #estimateMs: number;
  readonly #count: number;
  readonly #startedMs = performance.now();
  readonly #stream: NodeJS.WriteStream;
  #finished = 0;

  constructor(count: number, estimateMs: number, stream: NodeJS.WriteStream) {
    this.#count = count;
    this.#estimateMs = estimateMs;
    this.#stream = stream;
  }

  begin(run: PlannedRun): void {
    if (!this.#stream.isTTY) return;
    const elapsedMs = performance.now() - this.#startedMs;
    const share = this.#finished / this.#count;
    // The first runs say little, so the estimate counts at first and the measured pace later.
    const byPaceMs = share === 0 ? this.#estimateMs : elapsedMs / share;
    const totalMs = this.#estimateMs * (1 - share) + byPaceMs * share;
    const line = `[${this.#finished + 1}/${this.#count}] ${run.scenario.id} ${run.system.id}, ${clock(totalMs - elapsedMs)} left`;
    this.#stream.write(`\r\x1b[2K${line}`);
  }

  end(run: Run): void {
    this.#finished++;
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[2K');
    this.#stream.write(`${describeRun(run)}\n`);
  }
}
