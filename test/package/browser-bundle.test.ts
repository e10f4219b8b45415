/** `skein/browser` is one small file without Node's modules. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { browserBundle } from '../../scripts/browser-bundle.mjs';
import { ROOT } from './consumer.ts';

const MAX_COMPRESSED_BYTES = 40 * 1024;

it('contains and imports no module of Node and no other package', async () => {
  const { metafile } = await build({ ...browserBundle(ROOT), metafile: true as const, write: false });
  const scripts = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.js'));
  expect(scripts).toHaveLength(1);
  expect(scripts[0]![1].imports).toEqual([]);
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => isBuiltin(path) || !/^(client|engine)\//.test(path))).toEqual([]);
  expect(inputs).toContain('client/session.ts');
});

it('is below 40 KiB compressed', () => {
  const bytes = readFileSync(join(ROOT, 'dist', 'browser.js'));
  expect(gzipSync(bytes).length).toBeLessThan(MAX_COMPRESSED_BYTES);
  expect(bytes.toString()).not.toMatch(/\bfrom\s*["']|\brequire\(/);
});
