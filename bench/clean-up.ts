/** Removes what a run has made outside this process, however the process ends: normally, by an error or by a signal. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const actions = new Set<() => void>();

process.on('exit', () => {
  // Newest first: daemons end before their namespaces and folders are removed.
  for (const action of [...actions].reverse()) {
    try {
      action();
    } catch {
      // The other actions must still run, and nobody can handle this error.
    }
  }
});

/**
 * Calls `action`, which must be synchronous, when the process ends.
 * @returns a function that cancels the registration
 */
export function onExit(action: () => void): () => void {
  actions.add(action);
  return () => actions.delete(action);
}

/** Makes SIGINT and SIGTERM end the process through `exit`, so that all registered actions run. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/** Runs `work` with a new empty directory, and removes it afterwards. */
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
