/**
 * What an application's function throws is its own uncaught exception, and must not leave the session half way. Not in `nextTick`: one
 * that throws there ends Node's own call for the read, which then forgets where it was told to put the next bytes.
 */
export function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
