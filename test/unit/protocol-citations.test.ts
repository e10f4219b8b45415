/** Every section, property and scenario cited in code and documents exists in docs/protocol. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'reports', 'generated', '.git', 'coverage']);
const EXTENSIONS = new Set(['.ts', '.mjs', '.md', '.peggy', '.c']);
const PAGES = ['client-protocol.md', 'ring-protocol.md'] as const;
type Page = (typeof PAGES)[number];

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : sourceFiles(path);
    return EXTENSIONS.has(extname(entry.name)) ? [path] : [];
  });
}

const pageText = (page: Page): string => readFileSync(join(ROOT, 'docs/protocol', page), 'utf8');

/** `3`, `3.4`, `Appendix A`: the numbers of a page's headings. */
function sectionsOf(page: Page): ReadonlySet<string> {
  const headings = pageText(page).matchAll(/^#{2,3} (?:(\d+(?:\.\d+)?)\.? |(Appendix [A-Z])\b)/gm);
  return new Set([...headings].map(([, number, appendix]) => number ?? appendix!));
}

interface Citation {
  readonly page: Page;
  readonly section: string;
  readonly where: string;
}

/** `8.5`, `1.3 to 1.9`, `3.4, 3.5 and 8.2`, `sections 2.9 and 3.4`, `Appendix A`, with the page's name before it. */
const CITATION =
  /(client|ring)-protocol\.md`?,?\s+(?:sections?\s+)?((?:Appendix [A-Z]|\d+(?:\.\d+)?)(?:(?:, | and | to |, and )(?:sections? )?\d+(?:\.\d+)?)*)/g;

/** Comment marks and line breaks inside a citation do not matter. */
const flatten = (text: string): string => text.replace(/\s*\n\s*(?:\*|\/\/|#)?\s*/g, ' ');

function citations(): Citation[] {
  return sourceFiles(ROOT).flatMap((path) =>
    [...flatten(readFileSync(path, 'utf8')).matchAll(CITATION)].flatMap(([, name, list]) =>
      list!.split(/, and |, | and | to /).map((section) => ({
        page: `${name}-protocol.md` as Page,
        section: section.replace(/^sections? /, ''),
        where: relative(ROOT, path),
      })),
    ),
  );
}

describe('citations of docs/protocol', () => {
  const cited = citations();

  it('are found', () => {
    expect(cited.length).toBeGreaterThan(150);
    for (const page of PAGES) expect(cited.some((citation) => citation.page === page)).toBe(true);
  });

  it('name sections that exist', () => {
    const sections = new Map(PAGES.map((page) => [page, sectionsOf(page)]));
    expect(cited.filter(({ page, section }) => !sections.get(page)!.has(section))).toEqual([]);
  });

  it('name properties that ring-protocol.md, 1.5, defines', () => {
    const defined = new Set(
      [...pageText('ring-protocol.md').matchAll(/^- \*\*((?:EVS|GRP)-\d+)/gm)].map(([, id]) => id),
    );
    const missing = sourceFiles(ROOT).flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\b(?:EVS|GRP)-\d+/g)]
        .filter(([id]) => !defined.has(id))
        .map(([id]) => `${id} in ${relative(ROOT, path)}`),
    );
    expect(missing).toEqual([]);
  });

  it('to a missing section are detected', () => {
    expect(sectionsOf('ring-protocol.md').has('3.99')).toBe(false);
    const [found] = flatten('see ring-protocol.md, sections 3.4,\n * 3.99 and 8.2').matchAll(CITATION);
    expect(found?.[2]).toBe('3.4, 3.99 and 8.2');
  });
});
