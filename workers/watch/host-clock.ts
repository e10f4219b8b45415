/**
 * The monotonic clock of the machine, the same for all threads of all processes on it. The clock of an agent begins with its thread.
 */

/** Milliseconds. */
export function hostClockMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
