/** The import rules of .dependency-cruiser.cjs hold over the whole tree, and each of them fires on a planted violation. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { afterEach, describe, expect, it } from 'vitest';
import { ROOT, read } from './support/source-files.ts';

interface Rule {
  readonly name: string;
}
const CONFIG = '.dependency-cruiser.cjs';
const { forbidden, options } = createRequire(import.meta.url)(join(ROOT, CONFIG)) as {
  readonly forbidden: readonly Rule[];
  readonly options: Readonly<Record<string, unknown>>;
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A tree of these files: path -> what it imports. @returns names of the rules that it breaks */
async function broken(files: Readonly<Record<string, readonly string[]>>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-imports-'));
  folders.push(folder);
  for (const [path, imports] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const lines = imports.map((from, i) => `import { x as x${i} } from '${from}';\nexport const y${i} = x${i};`);
    writeFileSync(join(folder, path), `${lines.join('\n')}\nexport const x = 1;\n`);
  }
  const { tsConfig: _, ...plain } = options;
  const { output } = await cruise(['.'], {
    ...plain,
    baseDir: folder,
    validate: true,
    ruleSet: { forbidden: forbidden as never },
  });
  const names = (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name);
  return [...new Set(names)].filter((name) => name !== 'no-orphans').sort();
}

describe('import rules', () => {
  it('name only existing folders, and cover all folders with sources', () => {
    const named = new Set([...read(CONFIG).matchAll(/\^\(([a-z|]+)\)\//g)].flatMap(([, list]) => list!.split('|')));
    expect(named.size).toBeGreaterThan(3);
    for (const folder of named) expect(existsSync(join(ROOT, folder)), folder).toBe(true);
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const cruised = scripts['lint:imports']!.split(' ');
    for (const folder of named) expect(cruised).toContain(folder);
    const withSources = readdirSync(ROOT, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !['test', 'dist'].includes(entry.name))
      .filter(({ name }) => readdirSync(join(ROOT, name)).some((file) => file.endsWith('.ts')))
      .map(({ name }) => name);
    for (const folder of withSources) expect(cruised, 'lint:imports').toContain(folder);
  });

  it('accept a tree without violations', async () => {
    expect(await broken({ 'engine/wire/a.ts': [], 'engine/ring/b.ts': ['../wire/a.ts'] })).toEqual([]);
  });

  it.each([
    [['engine/wire', 'engine/ring']],
    [['workers/ring', 'workers/network']],
    [['client/send', 'client/receive']],
    [['cli/lines', 'cli/monitor']],
    [['bench/load', 'bench/peers']],
    [['daemon/state', 'daemon/log']],
    [['engine/a', 'engine/b', 'engine/c']],
    [['engine/ring/deep', 'engine/wire']],
  ])('forbid a cycle between the folders %s, though no file is in one', async (cycle) => {
    const files: Record<string, readonly string[]> = {};
    for (const [i, folder] of cycle.entries()) {
      const next = cycle[(i + 1) % cycle.length]!;
      const up = folder.split('/').map(() => '..');
      files[`${folder}/user.ts`] = [`${up.join('/')}/${next}/used.ts`];
      files[`${folder}/used.ts`] = [];
    }
    expect(await broken(files)).toEqual(['no-circular-folders']);
  });

  it.each([
    ['no-circular', { 'engine/wire/a.ts': ['./b.ts'], 'engine/wire/b.ts': ['./a.ts'] }],
    ['engine-imports-nothing-outside-itself', { 'engine/a.ts': ['../workers/b.ts'], 'workers/b.ts': [] }],
    ['engine-imports-nothing-outside-itself', { 'engine/a.ts': ['node:fs'] }],
    ['client-uses-only-the-wire', { 'client/a.ts': ['../engine/ring/b.ts'], 'engine/ring/b.ts': [] }],
    ['workers-use-only-the-engine', { 'workers/a.ts': ['../daemon/b.ts'], 'daemon/b.ts': [] }],
    ['daemon-uses-workers-and-engine', { 'daemon/a.ts': ['../client/b.ts'], 'client/b.ts': [] }],
    ['nothing-imports-programs', { 'daemon/a.ts': ['../cli/b.ts'], 'cli/b.ts': [] }],
    ['dashboard-runs-in-browsers', { 'dashboard/a.ts': ['../daemon/b.ts'], 'daemon/b.ts': [] }],
    ['dashboard-runs-in-browsers', { 'dashboard/a.ts': ['node:fs'] }],
    ['nothing-imports-the-dashboard', { 'daemon/a.ts': ['../dashboard/b.ts'], 'dashboard/b.ts': [] }],
    ['cli-imports-no-benchmarks', { 'cli/a.ts': ['../bench/b.ts'], 'bench/b.ts': [] }],
    ['bench-imports-no-command', { 'bench/a.ts': ['../cli/b.ts'], 'cli/b.ts': [] }],
    ['examples-use-the-public-package', { 'examples/a/a.ts': ['../../cli/lines/b.ts'], 'cli/lines/b.ts': [] }],
    ['examples-use-the-public-package', { 'examples/a.ts': ['../client/session.ts'], 'client/session.ts': [] }],
    ['delivery-knows-transports-not-sockets', { 'workers/delivery/a.ts': ['node:net'] }],
    [
      'sockets-are-made-where-threads-are-set-up',
      { 'workers/delivery/a.ts': ['./sockets/b.ts'], 'workers/delivery/sockets/b.ts': [] },
    ],
    ['not-to-unresolvable', { 'client/a.ts': ['./nowhere.ts'] }],
  ] as const)('of name %s fire', async (name, files) => {
    expect(await broken(files)).toContain(name);
  });

  it('are all tested here, except rules that need the whole tree or installed packages', () => {
    const tried = read('test/unit/import-rules.test.ts');
    const untried = forbidden
      .map(({ name }) => name)
      .filter((name) => !tried.includes(`'${name}', {`) && !tried.includes(`'${name}',\n`));
    // The first rule has its own cases above.
    expect(untried).toEqual(['no-circular-folders', 'no-orphans', 'no-dev-dependency-at-run-time']);
  });
});
