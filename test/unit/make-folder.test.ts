import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../daemon/make-folder.ts';

describe('makeFolder', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'skein-folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('creates missing folders, and keeps existing ones', () => {
    makeFolder(join(folder, 'a/b/c'));
    makeFolder(join(folder, 'a/b/c'));
    symlinkSync(join(folder, 'a'), join(folder, 'link'));
    makeFolder(join(folder, 'link/b/d'));
    expect(statSync(join(folder, 'a/b/d')).isDirectory()).toBe(true);
  });

  it('fails when a file is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(join(folder, 'file/below'))).toThrow(/EEXIST|ENOTDIR/);
  });

  it.runIf(process.platform === 'linux')('fails at once where no folder can be created, as in /proc', () => {
    expect(() => makeFolder('/proc/skein/state')).toThrow('ENOENT');
  });
});
