/** The package as a stranger gets it: packed from a copy of the sources, installed into a folder outside the repository. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Folders that a fresh clone does not have. */
const NOT_IN_A_CLONE = new Set(['node_modules', 'dist', '.git', 'generated', 'coverage']);

/** Copies the sources as a clone would have them; packages are those of this checkout. */
export function cloneSources(): string {
  const clone = join(mkdtempSync(join(tmpdir(), 'skein-clone-')), 'skein');
  cpSync(ROOT, clone, {
    recursive: true,
    preserveTimestamps: true,
    filter: (source) => dirname(source) === source || !NOT_IN_A_CLONE.has(basename(source)),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  return clone;
}

/** Runs `npm pack` in `folder`. @returns path of the tarball */
export function pack(folder: string): string {
  const destination = mkdtempSync(join(tmpdir(), 'skein-pack-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', destination], { cwd: folder, stdio: 'pipe' });
  return join(destination, readdirSync(destination)[0]!);
}

/** Paths in a tarball, sorted, without the `package/` before each. */
export const contentsOf = (tarball: string): string[] =>
  execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
    .sort();

/** Time limit of one program. Bundlers and compilers need most of it on a busy machine. */
const TIMEOUT_MS = 150_000;

export interface ProgramResult {
  readonly status: number | null;
  readonly output: string;
}

/** A project that depends on the packed library. */
export class Consumer {
  readonly folder = mkdtempSync(join(tmpdir(), 'skein-consumer-'));

  /** @param dependencies packages beside the library, exact versions */
  constructor(tarball: string, dependencies: Readonly<Record<string, string>> = {}) {
    this.write(
      'package.json',
      JSON.stringify({ private: true, dependencies: { skein: `file:${tarball}`, ...dependencies } }),
    );
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['install', ...flags], { cwd: this.folder, stdio: 'pipe' });
  }

  write(file: string, text: string): string {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Links a package of this checkout into the project. */
  link(name: string): void {
    const target = join(this.folder, 'node_modules', name);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), target);
  }

  /** Runs Node in the project's folder. */
  node(...args: readonly string[]): ProgramResult {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      env: { ...process.env, NODE_OPTIONS: '', VITEST: '' },
    });
    return { status, output: stdout + stderr };
  }
}
