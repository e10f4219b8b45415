/** Engine mutants: a change of one or two lines of source, made while the simulator is bundled, never in the tree. */

export interface Change {
  /** From the root of the repository. */
  readonly file: string;
  /** Text that must occur exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  readonly name: string;
  /** The rule that it breaks, and the section of the rule. */
  readonly breaks: string;
  readonly changes: readonly Change[];
  /** Scenarios that are likely to catch it, tried before the swarm. */
  readonly scenarios: readonly string[];
  /** One of these properties must fail; any, when omitted. */
  readonly expected?: readonly string[];
}

/** Applies a change. Throws when the text is not there exactly once: the engine moved on and the mutant is stale. */
export function mutate(source: string, mutant: string, { file, from, to }: Change): string {
  const first = source.indexOf(from);
  if (first < 0 || source.indexOf(from, first + 1) >= 0)
    throw new Error(
      `mutant ${mutant} is stale: ${JSON.stringify(from)} occurs ${first < 0 ? 'nowhere' : 'more than once'} in ${file}`,
    );
  return source.slice(0, first) + to + source.slice(first + from.length);
}
