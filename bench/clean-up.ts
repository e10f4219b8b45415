/** What a run has made outside this process is undone however the process ends: by itself, by an error, or by a signal. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const actions = new Set<() => void>();

process.on('exit', () => {
  // Newest first: daemons end before the namespaces and folders they live in are taken away.
  for (const action of [...actions].reverse()) {
    try {
      action();
    } catch {
      // The rest must still be undone, and nobody is left to be told.
    }
  }
});

/**
 * Calls `action`, which must be synchronous, when the process ends.
 * @returns a function that takes the registration back
 */
export function onExit(action: () => void): () => void {
  actions.add(action);
  return () => actions.delete(action);
}

/** Lets SIGINT and SIGTERM end the process through `exit`, so that everything registered is undone. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/** Runs `work` with a new empty directory, which is removed afterwards. */
export async function withTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'skein-bench-'));
  const forget = onExit(() => rmSync(directory, { recursive: true, force: true }));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
    forget();
  }
}
