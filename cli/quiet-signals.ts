/** Imported before anything else: without a listener Node opens its inspector on SIGUSR1, and SIGUSR2 ends the process. */
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
  try {
    process.on(signal, () => undefined);
  } catch {
    // Windows has neither.
  }
}
