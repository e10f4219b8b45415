import { constants } from 'node:os';
import { outputGone } from './standard-output.ts';

/**
 * Under npm a program gets Ctrl-C twice: from the terminal and from npm. So the same signal within this time does not count as a second one.
 */
const ECHO_MS = process.env['npm_lifecycle_event'] === undefined ? 0 : 500;
/** The exit code that a shell reports after a signal. */
const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/**
 * Aborts when the program should end: at the first SIGINT or SIGTERM, or when standard output cannot be written, as in
 * `skein subscribe news | head` or on a full disk. A second signal ends the process at once. Call it once per process.
 */
export const stopSignal = (): AbortSignal => AbortSignal.any([endSignal(), outputGone()]);

/** The same for a daemon, which continues without a reader of its output. The reason of the abort is the name of the signal. */
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
    controller.abort(signal);
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
