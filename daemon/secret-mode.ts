/** Who else can read or change a file of secrets. */

/** Reading by the group is for a daemon that is in it; nobody else has business there. */
const FORBIDDEN_BITS = 0o037;

/**
 * @param mode of the file, as `stat` tells it
 * @param secrets what is in it, such as `the tokens`
 * @returns null: nobody but its owner may write it, and nobody but owner and group may read it
 */
export function secretModeProblem(mode: number, secrets: string): string | null {
  if (process.platform === 'win32' || (mode & FORBIDDEN_BITS) === 0) return null;
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return `mode ${octal} lets others read or change ${secrets}: chmod 600 it, or 640 for a group`;
}
