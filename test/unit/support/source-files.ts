/** The text of the repository, for tests of rules over all of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** @param file from the root of the repository */
export const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [relative(ROOT, join(ROOT, path))] : [];
  });
}

/** TypeScript sources of the package and its benchmarks, from the root of the repository. */
export const productFiles = (): readonly string[] =>
  ['engine', 'workers', 'client', 'daemon', 'cli', 'bench'].flatMap(sources);

export const testFiles = (): readonly string[] => sources('test');
