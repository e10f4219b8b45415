/** Standard output of a command: its reader may go away or stop reading, and its disk may be full. */

interface OutputState {
  failure: NodeJS.ErrnoException | null;
  /** False for a daemon, which continues when nobody reads its ready line. */
  matters: boolean;
}

const state: OutputState = { failure: null, matters: true };
const gone = new AbortController();
let watched = false;

/** How long an ending daemon waits for the reader of its ready line. */
const DAEMON_PATIENCE_MS = 250;
const LOOK_MS = 10;

/** Aborts when standard output can no longer be written. */
export function outputGone(): AbortSignal {
  if (!watched) {
    watched = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      state.failure ??= error;
      gone.abort();
    });
  }
  return gone.signal;
}

/** From now on the command does not fail with standard output. */
export function outputDoesNotMatter(): void {
  outputGone();
  state.matters = false;
}

/** The pipe is closed, as by `head`, or the terminal is gone. */
const NOBODY_READS: readonly (string | undefined)[] = ['EPIPE', 'EIO'];

/** The failure of standard output; null: none, or only that its reader is gone. */
export const outputFailure = (): NodeJS.ErrnoException | null =>
  state.matters && !NOBODY_READS.includes(state.failure?.code) ? state.failure : null;

/** Resolves when everything printed is written, or cannot be. */
export async function outputWritten(): Promise<void> {
  const giveUpAtMs = performance.now() + (state.matters ? Number.POSITIVE_INFINITY : DAEMON_PATIENCE_MS);
  while (process.stdout.writableLength > 0 && state.failure === null && performance.now() < giveUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  // Errors of files are reported in the next round of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
}

let errorsWatched = false;

/** Prints to standard error, and ignores failures of that. */
export function printError(text: string): void {
  try {
    if (!errorsWatched) process.stderr.on('error', () => undefined);
    errorsWatched = true;
    process.stderr.write(`${text}\n`);
  } catch {
    // There is no place left to report this.
  }
}
