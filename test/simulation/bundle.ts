/** Bundles the simulator's worker, with the engine as it is or with one mutation in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { type Mutant, mutate } from './mutants/mutant.ts';

const folders = new Set<string>();

/** A folder that is removed when the process ends. */
function temporaryFolder(): string {
  if (folders.size === 0)
    process.once('exit', () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });
  const folder = mkdtempSync(join(tmpdir(), 'skein-simulation-'));
  folders.add(folder);
  return folder;
}

/** Replaces the mutant's text while its file is loaded; all other files are loaded unchanged. */
function mutation(root: string, mutant: Mutant): Plugin {
  const files = new Set(mutant.changes.map((change) => change.file));
  return {
    name: 'mutation',
    setup(builder) {
      const applied = new Set<string>();
      builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const file = relative(root, path);
        if (!files.has(file)) return null;
        applied.add(file);
        let contents = await readFile(path, 'utf8');
        for (const change of mutant.changes) if (change.file === file) contents = mutate(contents, mutant.name, change);
        return { contents, loader: 'ts' };
      });
      builder.onEnd(() => {
        for (const file of files)
          if (!applied.has(file)) throw new Error(`mutant ${mutant.name}: ${file} is not part of the simulator`);
      });
    },
  };
}

/**
 * @param root the repository
 * @returns path of the bundle
 */
export async function bundleWorker(root: string, mutant?: Mutant): Promise<string> {
  const outfile = join(temporaryFolder(), 'worker.mjs');
  await build({
    entryPoints: [join(root, 'test/simulation/worker.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'silent',
    plugins: mutant === undefined ? [] : [mutation(root, mutant)],
  });
  return outfile;
}
