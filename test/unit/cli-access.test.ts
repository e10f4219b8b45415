/** `skein access check`: the verdict, the line that decided, and the exit code. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExitCode } from '../../cli/exit.ts';
import { run } from '../../cli/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-access-'));
afterAll(() => rmSync(folder, { recursive: true }));
const FILE = join(folder, 'rules');
writeFileSync(
  FILE,
  [
    '# who                 what',
    'user alice            join web.* news  send web.*  private bob',
    'address 10.0.0.0/8    join news',
    'unix                  send *',
    'certificate ops.*     admin',
    'user alice unix       admin web.*',
  ].join('\n'),
);
const BAD = join(folder, 'bad');
writeFileSync(BAD, 'user alice joi news\n');

let out = '';
let err = '';
beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const check = (...flags: readonly string[]): Promise<number> => run(['access', 'check', FILE, ...flags]);

describe('allows', () => {
  it.each<readonly [readonly string[], number, string]>([
    [['--user', 'alice', '--join', 'web.404'], 2, 'join web.*'],
    [['--user', 'alice', '--address', '11.1.1.1', '--send', 'web.1'], 2, 'send web.*'],
    [['--user', 'alice', '--private', '#bob#d1'], 2, 'private #bob#*'],
    [['--user', 'alice', '--private', 'bob#d1'], 2, 'private #bob#*'],
    [['--address', '::ffff:10.1.2.3', '--join', 'news'], 3, 'join news'],
    [['--unix', '--send', 'x'], 4, 'send *'],
    [['--certificate', 'ops.example', '--admin'], 5, 'admin *'],
    [['--user', 'alice', '--unix', '--admin', 'web.1'], 6, 'admin web.*'],
  ])('%j by line %i', async (flags, line, by) => {
    expect(await check(...flags)).toBe(ExitCode.Ok);
    expect(out).toMatch(/^allowed: /);
    expect(out).toContain(`\n${FILE}:${line}: `);
    expect(out).toContain(`\n  by ${by}\n`);
    expect(err).toBe('');
  });
});

describe('refuses', () => {
  it.each<readonly [readonly string[], string]>([
    [['--user', 'alice', '--send', 'news'], '1 line for this client, and none allows it:\n  2: user alice '],
    [['--user', 'alice', '--unix', '--join', 'x'], '3 lines for this client, and none allows it:\n  2: user alice '],
    [['--user', 'bob', '--join', 'web.404'], 'none of the 5 lines is for this client'],
    [['--join', 'news'], 'none of the 5 lines is for this client'],
    [['--user', 'alice', '--private', '#carol#d1'], 'none allows it'],
    [['--user', 'alice', '--admin'], 'none allows it'],
    [['--address', 'fe80::1', '--join', 'news'], 'none of the 5 lines'],
  ])('%j', async (flags, why) => {
    expect(await check(...flags)).toBe(ExitCode.Failure);
    expect(out).toMatch(/^refused: /);
    expect(out).toContain(why);
    expect(err).toBe('');
  });
});

it('tells the same as JSON', async () => {
  expect(await check('--user', 'alice', '--join', 'web.404', '--json')).toBe(ExitCode.Ok);
  expect(JSON.parse(out)).toEqual({
    ...{ file: FILE, user: 'alice', certificate: null, address: null, isUnix: false, right: 'join', target: 'web.404' },
    ...{
      allowed: true,
      line: 2,
      text: 'user alice            join web.* news  send web.*  private bob',
      pattern: 'web.*',
    },
    applies: [2],
  });
  out = '';
  expect(await check('--unix', '--join', 'web.404', '--json')).toBe(ExitCode.Failure);
  expect(JSON.parse(out)).toMatchObject({ allowed: false, line: null, text: null, pattern: null, applies: [4] });
});

describe('with exit code 2 names', () => {
  it.each<readonly [string, readonly string[], string]>([
    ['no question', ['--user', 'alice'], 'one of --join, --send, --private and --admin is needed'],
    ['two questions', ['--join', 'a', '--send', 'b'], 'and only one'],
    ['a group that is none', ['--join', 'a b'], 'must be 1 to 31 bytes'],
    ['a group of admin that is none', ['--admin', 'a b'], 'must be 1 to 31 bytes'],
    ['a private name without a daemon', ['--private', 'bob'], 'a private name must be #user#daemon'],
    ['an address that is none', ['--address', '10.1.2', '--join', 'a'], '--address 10.1.2: must be an IP address'],
    ['two places', ['--address', '10.1.2.3', '--unix', '--join', 'a'], 'cannot be used with'],
  ])('%s', async (_, flags, text) => {
    expect(await check(...flags)).toBe(ExitCode.Usage);
    expect(err).toContain(text);
    expect(out).toBe('');
  });

  it('a mistake in the file, with its place', async () => {
    expect(await run(['access', 'check', BAD, '--join', 'a'])).toBe(ExitCode.Usage);
    expect(err).toMatch(
      `${BAD}:1:12: right is "joi"; it must be one of join, send, private, admin; did you mean "join"?`,
    );
    expect(err).toContain('  1 | user alice joi news');
  });

  it('a file that is not there', async () => {
    expect(await run(['access', 'check', join(folder, 'none'), '--join', 'a'])).toBe(ExitCode.Usage);
    expect(err).toMatch(/none: cannot be read: ENOENT/);
  });
});
