/**
 * `skein/client` loads fast because it loads little: only files of the library, a handful of Node's modules, no package. Tested
 * instead of a time, which depends on the machine.
 */
import { statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { ROOT } from './consumer.ts';

const NODE_MODULES = ['events', 'fs/promises', 'net', 'os', 'timers/promises', 'tls', 'url', 'util'];
/** For readable, unminified code. The daemon's code and packages would be many times that. */
const MAX_BYTES = 180_000;

interface Graph {
  readonly files: readonly string[];
  readonly external: readonly string[];
  readonly bytes: number;
}

/** Everything that loading a file loads, statically or by `require` and `import()`. */
async function graphOf(entry: string): Promise<Graph> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'dist', entry)],
    absWorkingDir: ROOT,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: entry.endsWith('.cjs') ? 'cjs' : 'esm',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const inputs: Metafile['inputs'] = metafile.inputs;
  const imports = Object.values(inputs).flatMap((input) => input.imports);
  const external = imports.filter((each) => each.external).map((each) => each.path.replace(/^node:/, ''));
  const files = Object.keys(inputs);
  return {
    files: files.map((path) => basename(path)),
    external: [...new Set(external)].sort(),
    bytes: files.reduce((sum, path) => sum + statSync(join(ROOT, path)).size, 0),
  };
}

describe.each(['client.js', 'client.cjs'])('dist/%s', (entry) => {
  it('loads only modules of Node and of the library', async () => {
    const { external } = await graphOf(entry);
    expect(external.filter((name) => !isBuiltin(name))).toEqual([]);
    expect(external.filter((name) => !NODE_MODULES.includes(name))).toEqual([]);
  });

  it('loads few files and little code', async () => {
    const { files, bytes } = await graphOf(entry);
    expect(files.length, files.join()).toBeLessThanOrEqual(12);
    expect(bytes).toBeLessThan(MAX_BYTES);
  });
});

it('detects packages where they are loaded', async () => {
  const { external } = await graphOf('index.js');
  expect(external).toEqual(expect.arrayContaining(['pino', 'zod', 'worker_threads']));
});
