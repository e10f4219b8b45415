/**
 * Assumptions whose breach would corrupt memory or order. They are asked per call or per batch, never per message. When one is
 * broken the agent throws, and the daemon ends with an `AgentFailure` that names it: nothing is overwritten first.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * @param what the rule, as a sentence that holds when all is well
 * @param found the numbers that break it
 */
export function broken(what: string, found: Readonly<Record<string, number>>): never {
  const numbers = Object.entries(found).map(([name, value]) => `${name} ${value}`);
  throw new InvariantError(`broken invariant: ${what} (${numbers.join(', ')})`);
}

/** For rules without numbers worth telling, and outside of hot paths. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${what}`);
}
