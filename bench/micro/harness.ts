/** Times rows with tinybench, and rows that decide a design also with Benchmark.js. */
import Benchmark from 'benchmark';
import { Bench } from 'tinybench';
import { median } from '../statistics.ts';
import type { LoopRow, MicroResult, MicroRow } from './micro-row.ts';

export interface HarnessTimes {
  /** Milliseconds per row. */
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** Minimum number of samples of rows that measure themselves. */
  readonly samples: number;
}

const NANOSECONDS_PER_MS = 1e6;
const WARM_UP_SAMPLES = 5;

export async function measureRow(family: string, row: MicroRow, times: HarnessTimes): Promise<MicroResult> {
  const operations = row.kind === 'loop' ? row.operations : 1;
  // A row that measures itself reports only part of its run time, so it gets a number of samples instead of a time.
  const bench = new Bench({
    time: row.kind === 'loop' ? times.measureMs : 0,
    warmupTime: row.kind === 'loop' ? times.warmUpMs : 0,
    iterations: times.samples,
    warmupIterations: WARM_UP_SAMPLES,
    throws: true,
  });
  if (row.kind === 'loop') {
    const { before } = row;
    // Without `async: false` tinybench would call it once without `before`, to see whether it is asynchronous.
    const options = before === undefined ? {} : { beforeEach: () => before.call(row) };
    bench.add(row.title, () => row.run(), { async: false, ...options });
  } else {
    bench.add(row.title, async () => ({ overriddenDuration: await row.sample() }), { async: true });
  }
  await bench.run();
  const result = bench.tasks[0].result;
  if (!('latency' in result)) throw new Error(`${family}: ${row.title} was not measured (${result.state})`);
  const { latency } = result;
  const perOperation = (ms: number): number => (ms * NANOSECONDS_PER_MS) / operations;
  const nanoseconds = perOperation(latency.p50);
  return {
    family,
    title: row.title,
    nanoseconds,
    mean: perOperation(latency.mean),
    p99: perOperation(latency.p99),
    relativeMarginPercent: latency.rme,
    samples: latency.samplesCount,
    bytesPerSecond: row.bytesPerOperation === null ? null : (row.bytesPerOperation * 1e9) / nanoseconds,
    secondOpinion: null,
  };
}

/** @returns nanoseconds per operation by Benchmark.js: the median of its samples */
export function secondOpinion(row: LoopRow, times: HarnessTimes): number {
  // Benchmark.js does not warm up, and the compiler should be done before its first sample.
  for (const endMs = performance.now() + times.warmUpMs; performance.now() < endMs; ) row.run();
  const benchmark = new Benchmark(row.title, () => row.run(), {
    maxTime: times.measureMs / 1000,
    minTime: Math.min(0.05, times.measureMs / 10_000),
    minSamples: 5,
  });
  benchmark.run({ async: false });
  if (benchmark.stats.sample.length === 0) throw new Error(`${row.title}: Benchmark.js took no sample`);
  return (median(benchmark.stats.sample) * 1e9) / row.operations;
}
