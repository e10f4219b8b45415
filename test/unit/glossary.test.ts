/** One name for one thing: the glossary in ARCHITECTURE.md is correct, and files, types and words have one meaning each. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productFiles, ROOT, read, testFiles } from './support/source-files.ts';

const SOURCES = ['Aeron', 'Aeron (log buffer)', 'EVS', 'NATS', 'ours', 'Spread', 'TCP', 'Totem', 'UDP'];
/** The files of the package. Programs (cli, bench, test) each have a `main.ts` and an `arguments.ts`. */
const PACKAGE = productFiles().filter((file) => /^(engine|workers|daemon|client)\//.test(file));
const LAYOUTS = 'engine/wire/layout/';

interface Row {
  readonly term: string;
  readonly meaning: string;
  readonly file: string;
  readonly source: string;
}

const rows: readonly Row[] = read('ARCHITECTURE.md')
  .split('## Glossary\n')[1]!
  .split('\n## ')[0]!
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => {
    const [term = '', meaning = '', where = '', source = ''] = line.slice(2, -2).split(' | ');
    return { term, meaning, file: /^`([^`]+)`$/.exec(where)?.[1] ?? '', source };
  });

/** Words of code and prose: `OrderedLogReader` contains "ordered log". */
const wordsOf = (text: string): string =>
  text
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/[-_]/g, ' ')
    .toLowerCase();

describe('the glossary', () => {
  it('has the terms of the project, in order and once each', () => {
    const terms = rows.map(({ term }) => term);
    expect(terms.length).toBeGreaterThan(40);
    expect(terms).toEqual([...new Set(terms)].sort((a, b) => (a < b ? -1 : 1)));
  });

  it.each(rows)('explains $term, names its file and the source of the word', ({ term, meaning, file, source }) => {
    expect(meaning).not.toBe('');
    expect(SOURCES).toContain(source);
    expect(existsSync(join(ROOT, file)), file).toBe(true);
    const text = wordsOf(`${basename(file)} ${read(file)}`);
    for (const word of term.split(', ')) expect(text, `${file} uses "${word}"`).toContain(word);
  });
});

/** The keys that several `items` share, with the items. */
function repeated<T>(items: readonly T[], keyOf: (item: T) => string): string[] {
  const byKey = new Map<string, T[]>();
  for (const item of items) byKey.set(keyOf(item), [...(byKey.get(keyOf(item)) ?? []), item]);
  return [...byKey].filter(([, all]) => all.length > 1).map(([key, all]) => `${key}: ${all.map(String).join(', ')}`);
}

describe('names', () => {
  /** A layout has the name of the file that reads and writes its packet. */
  it('of files are unique in the package, but for the layout beside its codec', () => {
    const files = PACKAGE.filter((file) => !file.startsWith(LAYOUTS));
    expect(repeated(files, (file) => basename(file))).toEqual([]);
    expect(readdirSync(join(ROOT, LAYOUTS)).length).toBeGreaterThan(40);
  });

  it('of exported types and classes are unique in the package', () => {
    const exported = PACKAGE.flatMap((file) => {
      const found = read(file).matchAll(/^export (?:abstract )?(?:interface|type|class|enum) (\w+)/gm);
      return [...new Set([...found].map(([, name]) => name!))].map((name) => ({ name, toString: () => file }));
    });
    expect(exported.length).toBeGreaterThan(200);
    expect(repeated(exported, ({ name }) => name)).toEqual([]);
  });

  /** Words that had two meanings, or were a second word for one thing. */
  it.each([
    [/\b(?:unproven|proven) runs?\b|\bruns? of (?:a|the|this|its) daemon\b|\bRUN_REFUSED\b/, 'incarnation'],
    [/\blog segments?\b|\bsegments? of the (?:ordered )?log\b/, 'term buffer'],
    [/\b(?:submit|request|inbound|outbound) rings?\b(?! agent)/, 'queue'],
    [/\bfive threading modes\b/, 'four threading modes, and auto'],
  ] as const)('%s is written as %s', (retired, _term) => {
    const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
    const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.startsWith('api/reference'))
      .map((name) => `docs/${name}`);
    const all = [...productFiles(), ...testFiles(), ...pages, ...docs];
    const found = all.filter((file) => !file.endsWith('glossary.test.ts') && retired.test(read(file)));
    expect(found).toEqual([]);
  });
});
