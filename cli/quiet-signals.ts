/** Imported first: without a listener, SIGUSR1 opens Node's inspector and SIGUSR2 ends the process. */
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
  try {
    process.on(signal, () => undefined);
  } catch {
    // Windows has neither.
  }
}
