/** Every document has short lines, and every link in it has a target. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', '.git', 'coverage', 'generated']);
const LONGEST_LINE_CHARS = 160;
const WRAPPED_AT_CHARS = 120;

const pagesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : pagesIn(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });

/** docs/api is written by a program. */
const PAGES = pagesIn(ROOT)
  .map((path) => relative(ROOT, path))
  .filter((path) => !path.startsWith('docs/api/'));

const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

const INLINE_CODE = /`[^`\n]*`/g;

/** Removes fenced and indented code, and comments. */
const withoutBlocks = (text: string): string =>
  text
    .replace(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '');

/** Anchors of headings, as on GitHub. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading]) => {
    const slug = heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/ /g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return new Set(anchors);
}

interface Link {
  readonly target: string;
  readonly anchor: string | null;
}

const linksOf = (text: string): readonly Link[] =>
  [
    ...withoutBlocks(text)
      .replace(INLINE_CODE, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, href]) => href!)
    .filter((href) => !/^[a-z]+:/.test(href))
    .map((href) => {
      const [target = '', anchor = null] = href.split('#');
      return { target, anchor };
    });

function brokenLinks(page: string): readonly string[] {
  return linksOf(textOf(page)).flatMap(({ target, anchor }) => {
    const path = target === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURI(target));
    if (!existsSync(path)) return [`${target}: no such file`];
    if (anchor === null || !path.endsWith('.md')) return [];
    return anchorsOf(readFileSync(path, 'utf8')).has(anchor) ? [] : [`${target}#${anchor}: no such heading`];
  });
}

describe.each(PAGES)('%s', (page) => {
  const lines = textOf(page).split('\n');

  it(`has no line longer than ${LONGEST_LINE_CHARS} characters`, () => {
    expect(lines.filter((line) => line.length > LONGEST_LINE_CHARS)).toEqual([]);
  });

  it(`is wrapped at ${WRAPPED_AT_CHARS} characters outside tables and code`, () => {
    const prose = withoutBlocks(textOf(page)).split('\n');
    // A link cannot be wrapped.
    const long = prose.filter(
      (line) => line.length > WRAPPED_AT_CHARS && !line.startsWith('|') && / /.test(line.slice(4)),
    );
    expect(long).toEqual([]);
  });

  it('links to files and headings that exist', () => {
    expect(brokenLinks(page)).toEqual([]);
  });
});

it('finds pages, links and anchors at all', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'docs/configuration.md']));
  expect(linksOf('see [a](b.md#c), [d](#e) and `[f](g.md)`')).toEqual([
    { target: 'b.md', anchor: 'c' },
    { target: '', anchor: 'e' },
  ]);
  expect([...anchorsOf('# A `b`: c\n## x\n### x\n')]).toEqual(['a-b-c', 'x', 'x-1']);
});
