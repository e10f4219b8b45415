import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CliError, describeFailure, ExitCode, exitCodeOf } from '../../cli/exit.ts';
import { Pacer } from '../../cli/pacer.ts';
import { passwordEntry, passwordLine } from '../../cli/passwords/password-keepers.ts';
import { createProgram, run } from '../../cli/program.ts';
import { httpUrl } from '../../cli/watch/watch-flags.ts';
import { SkeinError } from '../../client/index.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { parsePasswordFile } from '../../engine/config/password-file.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { PasswordChecker, type PasswordVerdict } from '../../workers/delivery/password-checker.ts';

describe('command lines', () => {
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

  it.each([
    ['a wrong word', ['subscibe', 'news'], 'Did you mean subscribe?'],
    ['a wrong option', ['publish', 'news', '--folow', 'x'], 'Did you mean --follow?'],
    ['a group with a blank', ['publish', 'bad group'], 'skein: group "bad group": must be 1 to 31 bytes'],
    ['no group', ['publish'], "missing required argument 'group'"],
    ['a number out of range', ['subscribe', 'news', '--type', '32768'], 'an integer from -32768 to 32767'],
    ['a word that is no service', ['publish', 'news', '--service', 'fast'], 'unreliable, reliable, fifo, causal'],
    ['options that exclude each other', ['publish', 'a', '-f', 'x', '--follow', 'y'], 'cannot be used with'],
    ['a now without a growing file', ['publish', 'news', '--since-now'], '--since-now needs --follow'],
    ['no address', ['subscribe', 'news', '-s', 'http://localhost'], 'the scheme "http" is none of'],
    ['a swapped address of a monitor', ['monitor', '-s', 'localhost@4803'], 'did you mean "4803@localhost"?'],
    [
      'a swapped address of a context',
      ['context', 'add', 'x', '-s', 'localhost@4803'],
      'did you mean "4803@localhost"?',
    ],
    ['a URL that is none', ['top', '--http', '4880@localhost'], 'http://127.0.0.1:4880, HOST:PORT, HOST or PORT'],
    ['a swapped address', ['subscribe', 'news', '-s', 'localhost@4803'], 'did you mean "4803@localhost"?'],
    ['two groups where one is needed', ['flood', '-g', 'a', '-g', 'b'], 'It is given twice'],
    ['a user with a blank', ['passwd', 'x', 'a b'], 'user "a b": must be 1 to 31'],
    ['an unknown option of the daemon', ['start', '-o', 'maxSesions=1'], 'did you mean "maxSessions"?'],
    ['a configuration that is not there', ['start', '-c', '/nowhere/spread.conf'], '/nowhere/spread.conf'],
  ])('refuses %s with exit code 2', async (_, args, text) => {
    expect(await run(args)).toBe(ExitCode.Usage);
    expect(err).toMatch(/^skein: /);
    expect(err).toContain(text);
    expect(err).not.toContain('    at ');
    expect(out).toBe('');
  });

  it.each([
    ['start', '-c'],
    ['conf', 'check'],
    ['conf', 'show'],
    ['access', 'check', '--join', 'x'],
    ['state', 'show'],
    ['monitor', '-c'],
    ['top', '--token-file'],
    ['top', '--ca'],
    ['subscribe', 'x', '--ca'],
    ['subscribe', 'x', '--cert'],
    ['subscribe', 'x', '--key'],
    ['keygen', '--add'],
  ])('names a file that is not there once: %s %s', async (...args) => {
    expect(await run([...args, '/nowhere/file'])).not.toBe(ExitCode.Ok);
    const lines = err.split('\n').filter((line) => line.includes('ENOENT'));
    expect(lines).toHaveLength(1);
    expect(lines[0]!.match(/\/nowhere\/file/g)).toHaveLength(1);
  });

  it.each([
    ['127.0.0.1:4880', 'http://127.0.0.1:4880/'],
    ['localhost:81', 'http://localhost:81/'],
    ['berlin', 'http://berlin:4880/'],
    ['4881', 'http://127.0.0.1:4881/'],
    ['[::1]:4880', 'http://[::1]:4880/'],
    ['::1', 'http://[::1]:4880/'],
    ['berlin:81/skein', 'http://berlin:81/skein'],
    ['https://berlin/skein', 'https://berlin/skein'],
  ])('takes --http %s for %s', (text, url) => {
    expect(httpUrl(text)).toBe(url);
  });

  it.each([
    '',
    'a b',
    '4880@berlin',
    'berlin:x',
    'berlin:99999',
    'tcp://berlin:4880',
    'http://u:p@berlin',
    'http://h?x',
  ])('refuses --http %j', (text) => {
    expect(() => httpUrl(text)).toThrow('HOST:PORT');
  });

  it('fails with exit code 1 and one line when nobody listens', async () => {
    expect(await run(['subscribe', 'news', '-s', '1@127.0.0.1'])).toBe(ExitCode.Failure);
    expect(err).toBe(
      'skein: could not connect to 1@127.0.0.1: no daemon listens there (ECONNREFUSED). ' +
        'Start a daemon there (skein start), or give the address of one that runs, with --spread\n',
    );
  });

  it('shows the stack when asked', async () => {
    await run(['--verbose', 'subscribe', 'news', '-s', '1@127.0.0.1']);
    expect(err).toContain('    at ');
  });

  it('prints help with examples for every command', async () => {
    for (const command of ['start', 'user', 'publish', 'subscribe', 'flood', 'monitor', 'passwd']) {
      out = '';
      expect(await run([command, '--help'])).toBe(ExitCode.Ok);
      expect(out).toMatch(/Examples?:\n {2}.*skein/);
    }
    expect(err).toBe('');
  });

  it('prints its version', async () => {
    expect(await run(['--version'])).toBe(ExitCode.Ok);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('failures', () => {
  it('have other exit codes than wrong arguments', () => {
    expect(exitCodeOf(new SkeinError('ILLEGAL_GROUP', 'x'))).toBe(ExitCode.Usage);
    expect(exitCodeOf(new SkeinError('REJECT_NOT_UNIQUE', 'x'))).toBe(ExitCode.Failure);
    expect(exitCodeOf(new ConfigError([{ message: 'x' }], null))).toBe(ExitCode.Usage);
    expect(exitCodeOf(new CliError('x'))).toBe(ExitCode.Failure);
    expect(exitCodeOf('x')).toBe(ExitCode.Failure);
    expect(describeFailure('x')).toBe('x');
  });
});

describe('password lines', () => {
  it('let in a client with the password, and no other', async () => {
    const line = passwordLine(await passwordEntry('alice', 'secret', 16_384));
    const { entries, problems } = parsePasswordFile(`${line}\n`);
    expect(problems).toEqual([]);
    const checker = new PasswordChecker(
      new LiveValue({ passwords: entries, maxWaitingPasswords: 1 }),
      new Float64Array(64),
    );
    const check = (user: string, password: string): Promise<PasswordVerdict> =>
      new Promise((answer) => checker.check({ credentials: { user, password }, owner: 'test', answer }));
    expect(await check('alice', 'secret')).toBe('right');
    expect(await check('alice', 'secreT')).toBe('wrong');
    expect(await check('bob', 'secret')).toBe('wrong');
  });
});

describe('pacing', () => {
  it('spaces actions evenly, catches up a little, and does not burst after a pause', () => {
    let nowMs = 1000;
    const pacer = new Pacer(100, () => nowMs);
    expect([pacer.book(1), pacer.book(1), pacer.book(3), pacer.book(1)]).toEqual([0, 10, 20, 50]);
    nowMs = 1065;
    expect([pacer.book(1), pacer.book(1)]).toEqual([0, 5]);
    nowMs = 10_000;
    expect([pacer.book(1), pacer.book(1), pacer.book(1), pacer.book(1)]).toEqual([0, 0, 0, 10]);
  });
});

describe('help', () => {
  const helpOf = (command: Command): string => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 });
    command.outputHelp();
    return text;
  };
  const all = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(all)];

  it.each(all(createProgram()).map((command) => [command.name(), command] as const))(
    'of %s fits 80 columns',
    (_, command) => {
      expect(
        helpOf(command)
          .split('\n')
          .filter((line) => line.length > 80),
      ).toEqual([]);
    },
  );
});
