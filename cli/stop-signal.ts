import { constants } from 'node:os';
import { outputGone } from './standard-output.ts';

/**
 * npm hands a terminal's Ctrl-C on to a program that has it from the terminal already, so under npm the same signal once more, so
 * soon, is not a second one.
 */
const ECHO_MS = process.env['npm_lifecycle_event'] === undefined ? 0 : 500;
/** What a shell reports of a program that a signal ended. */
const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/**
 * Aborts when the program is asked to end: at the first SIGINT or SIGTERM, and when nobody reads standard output any more, as
 * in `skein subscribe news | head`, or its disk is full. A second signal ends the process at once. For the life of the process: call it once.
 */
export const stopSignal = (): AbortSignal => AbortSignal.any([endSignal(), outputGone()]);

/** The same for a daemon, which does not end when nobody reads its output. */
export function endSignal(): AbortSignal {
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
  return controller.signal;
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
