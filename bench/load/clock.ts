/**
 * One clock for all threads of the load generator: CLOCK_MONOTONIC in milliseconds, as a double.
 * `performance.now()` counts from the start of its thread, so each thread measures its offset once.
 */
function measureOffsetMs(): number {
  let best = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < 50; i++) {
    const before = performance.now();
    const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before < best) {
      best = after - before;
      offset = monotonicMs - (before + after) / 2;
    }
  }
  return offset;
}

const offsetMs = measureOffsetMs();

/** Milliseconds of the machine's monotonic clock, comparable between threads and processes. */
export const monotonicMs = (): number => performance.now() + offsetMs;
