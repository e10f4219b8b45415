import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { run as runProgram } from '../../cli/program.ts';
import { accessWarnings, readKeyFile } from '../../daemon/key-file.ts';
import { parseClusterKeys } from '../../engine/config/cluster-keys.ts';
import { ConfigError } from '../../engine/config/config-error.ts';

const key = (id: number): { id: number; key: string } => ({ id, key: randomBytes(32).toString('base64') });
const A = key(1);
const B = key(2);

describe('parseClusterKeys', () => {
  it('reads ids and keys, the sealing one first', () => {
    expect(parseClusterKeys(`# ring\n1:${A.key}\n\n2:${B.key}\n`, 'keys')).toEqual([A, B]);
  });

  const BYTES = (fill: (i: number) => number): string =>
    Buffer.from(Array.from({ length: 32 }, (_, i) => fill(i))).toString('base64');

  it.each([
    ['nothing', '# none\n', /holds no key/],
    ['a short key', '1:AAAA\n', /^keys:1:1: .*32 bytes in base64/],
    ['a long key', `1:${A.key.slice(0, -1)}AAAA=\n`, /^keys:1:1: .*32 bytes in base64/],
    ['a key in base64url', `1:${'-_'.repeat(21)}A=\n`, /^keys:1:1: .*32 bytes in base64/],
    ['a key in hexadecimal', `1:${'0123456789abcdef'.repeat(4)}\n`, /^keys:1:1: .*32 bytes in base64/],
    ['a key in quotes', `1:"${A.key}"\n`, /^keys:1:1: /],
    ['a key without its id', `${A.key}\n`, /^keys:1:1: /],
    ['two keys in a line', `1:${A.key} 2:${B.key}\n`, /^keys:1:1: /],
    ['bits left over', `1:${A.key.slice(0, -2)}B=\n`, /key 1 is not base64 of 32 bytes/],
    ['zeros', `1:${BYTES(() => 0)}\n`, /key 1 is not random: its 32 bytes have only 1 different values, fewer than 16/],
    [
      'a word that repeats itself',
      `1:${BYTES((i) => 'changeme'.charCodeAt(i % 8))}\n`,
      /not random: .* only 7 different/,
    ],
    ['an id above 255', `256:${A.key}\n`, /ID 0 to 255/],
    ['an id with zeros in front', `01:${A.key}\n`, /without leading zeros/],
    ['an id below 0', `-1:${A.key}\n`, /ID 0 to 255/],
    ['an id twice', `1:${A.key}\n1:${B.key}\n`, /^keys:2:1: key 1 is listed twice/],
    ['a key twice', `1:${A.key}\n2:${A.key}\n`, /^keys:2:1: key 2 is the same as key 1/],
    ['five keys', [1, 2, 3, 4, 5].map((id) => `${id}:${key(id).key}\n`).join(''), /holds 5 keys; the limit is 4/],
  ])('refuses %s without printing a key', (_what, text, message) => {
    const read = (): unknown => parseClusterKeys(text, 'keys');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(message);
    try {
      read();
    } catch (error) {
      for (const secret of [A.key, B.key]) expect(String(error)).not.toContain(secret.slice(0, 20));
    }
  });

  it('takes any random key, lines of other systems, and comments', () => {
    for (let i = 0; i < 1000; i++) {
      const random = key(i % 256);
      expect(parseClusterKeys(`# made today\r\n\r\n  ${random.id}:${random.key}  \r\n`, 'keys')).toEqual([random]);
    }
  });
});

describe('readKeyFile', () => {
  function keyFile(text: string, mode: number): string {
    const folder = mkdtempSync(join(tmpdir(), 'skein-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'keys');
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  it.each([0o600, 0o400, 0o640, 0o440])('is content with mode %o', async (mode) => {
    const { keys, warnings } = await readKeyFile(keyFile(`1:${A.key}\n`, mode));
    expect(keys).toEqual([A]);
    expect(warnings).toEqual([]);
  });

  it.each([0o644, 0o604, 0o602, 0o620, 0o666, 0o777])('warns of mode %o', async (mode) => {
    const path = keyFile(`1:${A.key}\n`, mode);
    const { keys, warnings } = await readKeyFile(path);
    expect(keys).toEqual([A]);
    expect(warnings).toEqual([
      `${path}: mode 0${mode.toString(8)} lets others read or change the cluster's keys: chmod 600 it, or 640 for a group`,
    ]);
  });

  it.each([
    [12_345, 1000, true],
    [1000, 1000, false],
    [0, 1000, false],
    // Root can become that user.
    [1000, 0, false],
  ])('looks at the owner: %i, when the daemon runs as %i', (owner, user, warned) => {
    const warnings = accessWarnings('keys', 0o100600, owner, user);
    expect(warnings.length).toBe(warned ? 1 : 0);
    if (warned) expect(warnings[0]).toContain('keys belongs to user 12345');
  });

  it('reads no more of a file than the longest key file has', async () => {
    await expect(readKeyFile('/dev/zero')).rejects.toThrow('/dev/zero');
    await expect(readKeyFile(keyFile('#'.repeat(16_385), 0o600))).rejects.toThrow('longer than 16384 bytes');
    await expect(readKeyFile('/nowhere/keys')).rejects.toThrow('ENOENT');
  });
});

describe('skein keygen', () => {
  const run = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    let out = '';
    let err = '';
    const spies = [
      vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
        out += String(text);
        return true;
      }),
      vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
        err += String(text);
        return true;
      }),
    ];
    const code = await runProgram(['keygen', ...args]);
    for (const spy of spies) spy.mockRestore();
    return { code, out, err };
  };
  const newFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-keygen-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };

  it('prints a key that a daemon accepts, a different one each time', async () => {
    const { code, out } = await run('--id', '7');
    expect(code).toBe(0);
    expect(parseClusterKeys(out, 'out').map(({ id }) => id)).toEqual([7]);
    expect((await run('--id', '7')).out).not.toBe(out);
  });

  it('creates a file that only its owner can read, whatever the umask, and overwrites none', async () => {
    const file = join(newFolder(), 'keys');
    const { code, out } = await run(file);
    expect(code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { keys, warnings } = await readKeyFile(file);
    expect(warnings).toEqual([]);
    expect(out).not.toContain(keys[0]!.key);
    const again = await run(file);
    expect(again.code).toBe(2);
    expect(again.err).toContain('exists: --add');
    expect((await readKeyFile(file)).keys).toEqual(keys);
  });

  it('appends keys, keeps comments and mode, and refuses keys beyond the limit', async () => {
    const file = join(newFolder(), 'keys');
    writeFileSync(file, `# mine\n9:${A.key}`);
    chmodSync(file, 0o640);
    for (let i = 0; i < 3; i++) expect((await run('--add', file)).code).toBe(0);
    expect((await readKeyFile(file)).keys.map(({ id }) => id)).toEqual([9, 10, 11, 12]);
    expect(readFileSync(file, 'utf8').startsWith(`# mine\n9:${A.key}\n10:`)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const full = await run('--add', file);
    expect(full).toMatchObject({ code: 1, err: expect.stringContaining('holds 4 keys, which is the limit') });
  });

  it.each([
    [['--add'], '--add needs the file'],
    [['--id', '256'], 'an integer from 0 to 255'],
    [['--id', 'x'], 'an integer from 0 to 255'],
  ])('refuses %j', async (args, text) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(text);
  });

  it('takes a free id when the highest is in use, and refuses a given id in use', async () => {
    const file = join(newFolder(), 'keys');
    writeFileSync(file, `255:${A.key}\n`);
    expect((await run('--add', '--id', '255', file)).code).toBe(2);
    expect((await run('--add', file)).code).toBe(0);
    expect((await readKeyFile(file)).keys.map(({ id }) => id)).toEqual([255, 0]);
  });
});
