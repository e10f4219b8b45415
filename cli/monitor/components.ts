import { suggestion } from '../../engine/config/did-you-mean.ts';
import { CliError, ExitCode } from '../exit.ts';

/** @throws CliError when no daemon has the name */
export function nodeOf(name: string, names: readonly string[]): number {
  const node = names.indexOf(name);
  if (node === -1)
    throw new CliError(
      `daemon ${JSON.stringify(name)} is not in the configuration, which has ${names.join(', ')}${suggestion(name, names)}`,
      ExitCode.Usage,
    );
  return node;
}

/**
 * The component of each daemon. Each part is a list of names with commas; daemons in no part form one more component.
 * @throws CliError when a name is unknown or in two parts, or when all daemons are in one part
 */
export function componentsOf(parts: readonly string[], names: readonly string[]): readonly number[] {
  const components = names.map(() => 0);
  for (const [i, part] of parts.entries()) {
    for (const name of part.split(',').map((word) => word.trim())) {
      const node = nodeOf(name, names);
      if (components[node] !== 0) throw new CliError(`daemon ${name} is named twice`, ExitCode.Usage);
      components[node] = i + 1;
    }
  }
  if (new Set(components).size < 2)
    throw new CliError('this does not cut any daemon off; name two parts, or fewer daemons', ExitCode.Usage);
  return components;
}
