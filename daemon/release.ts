/** Which release of skein this is. */
import { readFileSync } from 'node:fs';

let known: string | null = null;

/** `version` of the package. Both the source and the build lie one folder below its file. */
export function packageRelease(): string {
  if (known === null) {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    known = (JSON.parse(text) as { readonly version: string }).version;
  }
  return known;
}
