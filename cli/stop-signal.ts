import { constants } from 'node:os';

/**
 * npm hands a terminal's Ctrl-C on to a program that has it from the terminal already, so under npm the same signal once more, so
 * soon, is not a second one.
 */
const ECHO_MS = process.env['npm_lifecycle_event'] === undefined ? 0 : 500;
/** Nobody reads: the pipe is closed, or the terminal is gone. */
const NOBODY_READS: readonly (string | undefined)[] = ['EPIPE', 'EIO'];

/** What a shell reports of a program that a signal ended. */
const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/**
 * Aborts when the program is asked to end: at the first SIGINT or SIGTERM, and when nobody reads standard output any more, as
 * in `skein subscribe news | head`. A second signal ends the process at once. For the life of the process: call it once.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let first: NodeJS.Signals | null = null;
  let firstMs = 0;
  const stop = (signal: NodeJS.Signals): void => {
    if (first !== null && !(signal === first && performance.now() - firstMs < ECHO_MS))
      process.exit(exitCodeOf(signal));
    if (first !== null) return;
    first = signal;
    firstMs = performance.now();
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!NOBODY_READS.includes(error.code)) throw error;
    controller.abort();
  });
  return controller.signal;
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
