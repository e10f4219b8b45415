/** Standard output of a command: its reader may go away, its disk may be full, and a stopped reader may never take what waits. */

interface OutputState {
  failure: NodeJS.ErrnoException | null;
  /** False for a daemon, which goes on when nobody reads its ready line. */
  matters: boolean;
}

const state: OutputState = { failure: null, matters: true };
const gone = new AbortController();
let watched = false;

/** How long a daemon that ends waits for the reader of its ready line. */
const DAEMON_PATIENCE_MS = 250;
const LOOK_MS = 10;

/** Aborts when standard output cannot be written any more. */
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

/** From now on a failure of standard output is no failure of the command. */
export function outputDoesNotMatter(): void {
  outputGone();
  state.matters = false;
}

/** Nobody reads: the pipe is closed, which `head` does, or the terminal is gone. */
const NOBODY_READS: readonly (string | undefined)[] = ['EPIPE', 'EIO'];

/** What went wrong with standard output; null when nothing did, or when nobody reads it any more. */
export const outputFailure = (): NodeJS.ErrnoException | null =>
  state.matters && !NOBODY_READS.includes(state.failure?.code) ? state.failure : null;

/** Resolves when all that was printed is with its reader, or cannot be. */
export async function outputWritten(): Promise<void> {
  const giveUpAtMs = performance.now() + (state.matters ? Number.POSITIVE_INFINITY : DAEMON_PATIENCE_MS);
  while (process.stdout.writableLength > 0 && state.failure === null && performance.now() < giveUpAtMs)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  // A file's error is told in the next round of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
}

let errorsWatched = false;

/** For people. Nobody may be there to read it. */
export function printError(text: string): void {
  try {
    if (!errorsWatched) process.stderr.on('error', () => undefined);
    errorsWatched = true;
    process.stderr.write(`${text}\n`);
  } catch {
    // Where errors are told, none can be told of that.
  }
}
