/**
 * Every file a daemon reads, with everything that can be at its path: a start, with a warning where the file lets nobody in, or
 * an error that names the file. A daemon never hangs, and never runs with other values than those of the file.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDaemonSpec, type DaemonSpecResult } from '../../daemon/create-daemon-spec.ts';
import { type CheckedFiles, checkOperatorFiles } from '../../daemon/operator-files.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import type { DaemonOptions } from '../../daemon/options-schema.ts';
import { MAX_TEXT_FILE_BYTES } from '../../daemon/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const newPath = (): string => join(folder, `file-${made++}`);

const SECRET = randomBytes(32).toString('base64');
const HASH = `scrypt$16384$8$1$${randomBytes(16).toString('base64')}$${randomBytes(32).toString('base64')}`;

interface ReadFile {
  readonly name: string;
  readonly good: string;
  /** How a daemon reacts to an empty file. */
  readonly whenEmpty: { readonly error: RegExp } | { readonly warning: RegExp };
  readonly options: (path: string) => DaemonOptions;
  readonly check: (result: DaemonSpecResult) => void;
}

const CONF = 'Spread_Segment 127.0.0.255:4803 {\n  a 127.0.0.1\n}\n';

const FILES: readonly ReadFile[] = [
  {
    name: 'spread.conf',
    good: CONF,
    whenEmpty: { error: /configures no daemon/ },
    options: (path) => ({ configFile: path, name: 'a' }),
    check: ({ spec }) => expect(spec.name).toBe('a'),
  },
  {
    name: 'ClusterKeyFile',
    good: `# keys\n7:${SECRET}\n`,
    whenEmpty: { error: /holds no key/ },
    options: (path) => ({ configText: CONF, name: 'a', clusterKeyFile: path }),
    check: ({ spec }) => expect(spec.clusterKeys).toEqual([{ id: 7, key: SECRET }]),
  },
  {
    name: 'PasswordFile',
    good: `alice:${HASH}\n`,
    whenEmpty: { warning: /has no user; every check by it fails/ },
    options: (path) => ({ configText: CONF, name: 'a', passwordFile: path, allowedAuthMethods: ['PWORD'] }),
    check: ({ spec }) => expect([...spec.delivery.passwords.keys()]).toEqual(['alice']),
  },
  {
    name: 'ScramFile',
    good: `# users\n*:secret$${SECRET}\nalice:SCRAM-SHA-256$4096:${SECRET}$${SECRET}:${SECRET}\n`,
    whenEmpty: { warning: /has no user; every check by it fails/ },
    options: (path) => ({ configText: CONF, name: 'a', scramFile: path, allowedAuthMethods: ['SCRAM-SHA-256'] }),
    check: ({ spec }) => expect([...spec.delivery.scram.entries.keys()]).toEqual(['alice']),
  },
  {
    name: 'AccessIpFile',
    good: 'local\n10.0.0.0/8\n',
    whenEmpty: { warning: /has no rule; every check by it fails/ },
    options: (path) => ({ configText: CONF, name: 'a', accessIpFile: path, allowedAuthMethods: ['IP'] }),
    check: ({ spec }) => expect(spec.delivery.access.rules).toHaveLength(2),
  },
  {
    name: 'AccessFile',
    good: '# rights\nanyone join news\naddress 10.0.0.0/8 send web.* private\n',
    whenEmpty: { warning: /has no line with rights; every join and every send is refused/ },
    options: (path) => ({ configText: CONF, name: 'a', accessFile: path }),
    check: ({ spec }) => expect(spec.delivery.rights?.lines).toHaveLength(2),
  },
];

/** Content that no file may have: what is put at the path, and the end of the error. */
const HOPELESS: readonly (readonly [string, (path: string, good: string) => void, RegExp])[] = [
  ['nothing at all', () => undefined, /ENOENT/],
  ['a folder', (path) => mkdirSync(path), /EISDIR/],
  ['a link to itself', (path) => symlinkSync(path, path), /ELOOP/],
  ['NUL bytes', (path, good) => writeFileSync(path, `${good}\0\0\0`), /has a NUL byte at offset \d+/],
  ['UTF-16', (path, good) => writeFileSync(path, Buffer.from(`\uFEFF${good}`, 'utf16le')), /is UTF-16/],
  [
    'more bytes than such a file may have',
    (path, good) => writeFileSync(path, good.padEnd(MAX_TEXT_FILE_BYTES + 1, '\n')),
    /is longer than 16777216 bytes/,
  ],
  ['a device without an end', (path) => symlinkSync('/dev/zero', path), /is longer than 16777216 bytes/],
];

const HARMLESS: readonly (readonly [string, (path: string, good: string) => void])[] = [
  ['as it should be', (path, good) => writeFileSync(path, good)],
  ['a byte order mark', (path, good) => writeFileSync(path, `\uFEFF${good}`)],
  ['CRLF', (path, good) => writeFileSync(path, good.replaceAll('\n', '\r\n'))],
  ['both', (path, good) => writeFileSync(path, `\uFEFF${good.replaceAll('\n', '\r\n')}`)],
  ['no line end', (path, good) => writeFileSync(path, good.trimEnd())],
  ['blank lines and blanks', (path, good) => writeFileSync(path, `\n\n${good.replaceAll('\n', '  \t\n')}\n\n`)],
  [
    'bytes that are no UTF-8 in a comment',
    (path, good) => writeFileSync(path, Buffer.concat([latin1, Buffer.from(good)])),
  ],
];
const latin1 = Buffer.from('# caf\xe9\n', 'latin1');

const start = async (options: DaemonOptions): Promise<DaemonSpecResult> => createDaemonSpec(await loadOptions(options));

describe.each(FILES)('$name', ({ good, whenEmpty, options, check }) => {
  it.each(HARMLESS)('may be %s', async (_, put) => {
    const path = newPath();
    put(path, good);
    // A key file that others may read has its own warning.
    chmodSync(path, 0o600);
    const result = await start(options(path));
    check(result);
    expect(result.warnings).toEqual([]);
  });

  it.each(HOPELESS)('may not be %s', async (_, put, reason) => {
    const path = newPath();
    put(path, good);
    const refused = await start(options(path)).catch((error: Error) => error);
    expect(refused).toBeInstanceOf(Error);
    const { message } = refused as Error;
    expect(message).toContain(path);
    expect(message).toMatch(reason);
    expect(message).not.toContain(SECRET);
    expect(message).not.toContain(HASH);
  });

  it.each([
    ['empty', ''],
    ['one with nothing but comments', '# nothing\n\n'],
  ])('that is %s is told', async (_, text) => {
    const path = newPath();
    writeFileSync(path, text);
    if ('error' in whenEmpty) await expect(start(options(path))).rejects.toThrow(whenEmpty.error);
    else expect((await start(options(path))).warnings.join('\n')).toMatch(whenEmpty.warning);
  });

  it('may be a pipe', async () => {
    const path = newPath();
    execFileSync('mkfifo', [path]);
    const result = start(options(path));
    // Opening a pipe waits for its other end.
    const [read] = await Promise.all([result, writeFile(path, good)]);
    check(read);
  });

  it.skipIf(process.getuid?.() === 0)('without read permission is named in the error', async () => {
    const path = newPath();
    writeFileSync(path, good);
    chmodSync(path, 0);
    await expect(start(options(path))).rejects.toThrow(/EACCES/);
  });
});

describe.each(FILES.slice(1))('skein conf check reads $name', ({ name, good, whenEmpty, options }) => {
  const check = async (path: string): Promise<CheckedFiles> =>
    checkOperatorFiles((await loadOptions(options(path))).configuration.options);

  it.each(HARMLESS)('that is %s', async (_, put) => {
    const path = newPath();
    put(path, good);
    chmodSync(path, 0o600);
    expect(await check(path)).toEqual({ problems: [], warnings: [] });
  });

  it.each(HOPELESS.filter(([what]) => what !== 'a device without an end'))('that is %s', async (_, put, reason) => {
    const path = newPath();
    put(path, good);
    const { problems, warnings } = await check(path);
    expect([problems.map(({ field }) => field), warnings]).toEqual([[name], []]);
    expect(problems[0]!.message).toMatch(reason);
    expect(problems[0]!.message).toContain(path);
  });

  it('that is wrong in a line', async () => {
    const path = newPath();
    writeFileSync(path, `${good}nonsense\n`, { mode: 0o600 });
    const { problems, warnings } = await check(path);
    const line = good.split('\n').length;
    // A wrong line in keys or rights prevents a start; in the other files it lets nobody in.
    const told = name === 'ClusterKeyFile' || name === 'AccessFile' ? problems : warnings;
    expect(told.map(({ message }) => message)).toEqual([expect.stringMatching(`^${path}:${line}:1: `)]);
    expect(problems.length + warnings.length).toBe(1);
  });

  it('that is empty', async () => {
    const path = newPath();
    writeFileSync(path, '', { mode: 0o600 });
    const { problems, warnings } = await check(path);
    const [told, expected] = 'error' in whenEmpty ? [problems, whenEmpty.error] : [warnings, whenEmpty.warning];
    expect(told.map(({ message }) => message)).toEqual([expect.stringMatching(expected)]);
  });

  it('but not one that can be read only once', async () => {
    const path = newPath();
    execFileSync('mkfifo', [path]);
    const { problems, warnings } = await check(path);
    expect([problems, warnings.map(({ message }) => message)]).toEqual([[], [expect.stringContaining('not checked')]]);
  });

  it.runIf(process.getuid?.() === 0)('and says which ones it may not read', async () => {
    const path = newPath();
    writeFileSync(path, good, { mode: 0o600 });
    chmodSync(folder, 0o755);
    process.seteuid!('nobody');
    onTestFinished(() => process.seteuid!('root'));
    const { problems, warnings } = await check(path);
    process.seteuid!('root');
    expect(problems).toEqual([]);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(`^${name} not checked: ${path}: cannot be read: EACCES.*check as the user that starts`),
    ]);
  });
});
