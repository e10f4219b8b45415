/** Files and folders named in comments and documents exist. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productFiles, ROOT, read, testFiles } from './support/source-files.ts';

const FOLDERS = ['engine', 'workers', 'client', 'daemon', 'cli', 'bench', 'test', 'examples', 'scripts'];
const sources = [...productFiles(), ...testFiles()];

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesOf(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  );
}

const files = [...FOLDERS.flatMap(filesOf), 'index.ts'];
const names = new Set(files.map((file) => basename(file)));
const folders = new Set(files.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))));

/** The comments of a source; all of a document. */
const proseOf = (file: string): string => {
  const text = read(file);
  if (!file.endsWith('.ts')) return text;
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm)].map(([comment]) => comment).join('\n');
};

const pages = [
  'ARCHITECTURE.md',
  'docs/protocol/ring-protocol.md',
  'docs/protocol/client-protocol.md',
  'docs/simulation.md',
];

/** Example programs, and files that only a build creates. */
const isElsewhere = (name: string): boolean =>
  /^(?:app|my|your|program|main|worker|index|config)[\w-]*\.ts$/.test(name);

describe('files and folders', () => {
  it('named in comments and documents exist', () => {
    const gone = [...sources, ...pages].flatMap((file) =>
      [...proseOf(file).matchAll(/(?<![\w*./-])((?:[a-z][\w-]*\/)*)([a-z][\w-]*\.ts)\b/g)]
        .filter(([, folder, name]) => {
          if (!names.has(name!)) return !isElsewhere(name!);
          return folder !== '' && !files.some((one) => one.endsWith(`${folder}${name}`));
        })
        .map(([mention]) => `${mention} in ${file}`),
    );
    expect(gone).toEqual([]);
  });

  it('written with a trailing slash exist', () => {
    const gone = [...sources, ...pages].flatMap((file) =>
      [
        ...proseOf(file).matchAll(
          /(?<![\w./-])((?:engine|workers|client|daemon|cli|bench|test)\/[\w-]+)\/(?=[\s`).,:;])/g,
        ),
      ]
        .filter(([, folder]) => !folders.has(folder!))
        .map(([mention]) => `${mention} in ${file}`),
    );
    expect(gone).toEqual([]);
  });

  it('have comments whose identifiers still exist in the code', () => {
    const all = [...sources, 'index.ts'];
    const comment = /\/\*\*?[\s\S]*?\*\/|^\s*\/\/.*$/gm;
    const code = new Set(
      all.flatMap(
        (file) =>
          read(file)
            .replaceAll(comment, ' ')
            .match(/[A-Za-z_$][\w$]*/g) ?? [],
      ),
    );
    const gone = all.flatMap((file) =>
      [...proseOf(file).matchAll(/`([a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*|[A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:\(\))?`/g)]
        .filter(([, name]) => !code.has(name!))
        .map(([, name]) => `${name} in ${file}`),
    );
    expect(gone).toEqual([]);
  });
});
