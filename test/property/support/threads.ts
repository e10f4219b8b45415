/** Worker threads of tests: their entries are TypeScript, bundled into a temporary folder when first used. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { afterAll } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'skein-threads-'));
const built = new Map<string, string>();
afterAll(() => rmSync(folder, { recursive: true }));

function entryFile(name: string): string {
  const known = built.get(name);
  if (known !== undefined) return known;
  const outfile = join(folder, `${name}.mjs`);
  const source = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  buildSync({ entryPoints: [source], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  built.set(name, outfile);
  return outfile;
}

/** Runs `<name>.ts` of this folder in a thread. @returns the one message it posts; rejects with what it throws */
export function runThread<Result>(name: string, workerData: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entryFile(name), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`thread ${name} ended with code ${code} and no result`)));
  });
}
