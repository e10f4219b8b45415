/** SCRAM-SHA-256 between real daemons and clients: who gets in, who does not, and what a stranger can learn. */
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { passwordEntry, passwordLine, scramEntry } from '../../cli/passwords/password-keepers.ts';
import { type AuthOption, connect, type Session, SkeinError } from '../../client/index.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { scramLine, scramSecretLine } from '../../engine/config/scram-file.ts';
import { skein } from './cli-process.ts';
import { deliveryCount, eventually, testDaemon } from './support/daemons.ts';

import { testFolder } from './support/logged-daemon.ts';
import { authChoice, connectBytes } from './support/wire-client.ts';

const ITERATIONS = 4096;
const SECRET = Buffer.alloc(32, 3).toString('base64');

const lineOf = async (user: string, password: string): Promise<string> =>
  `${scramLine(await scramEntry(user, password, ITERATIONS))}\n`;

async function files(...users: readonly (readonly [string, string])[]) {
  const folder = testFolder();
  const scramFile = join(folder, 'scram');
  const lines = await Promise.all(users.map(([user, password]) => lineOf(user, password)));
  writeFileSync(scramFile, `${scramSecretLine(SECRET)}\n${lines.join('')}`, { mode: 0o600 });
  const passwordFile = join(folder, 'pword');
  writeFileSync(passwordFile, `${passwordLine(await passwordEntry('alice', 'pencil', 16_384))}\n`, { mode: 0o600 });
  return { folder, scramFile, passwordFile };
}

async function member(port: number, auth: AuthOption, name = ''): Promise<Session> {
  const session = await connect({ address: { host: '127.0.0.1', port }, name, auth });
  onTestFinished(() => session.close());
  return session;
}

const refusal = (port: number, auth: AuthOption): Promise<SkeinError> =>
  member(port, auth).then(
    () => expect.unreachable('the session opened'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(SkeinError);
      return error as SkeinError;
    },
  );

const ALICE = { user: 'alice', password: 'a long pencil, \u00fcber 8 bytes' };

describe.each(['inline', 'dedicated'] as const)('a daemon with %s threads', (threadingMode) => {
  it('lets users in by their passwords, and nobody else', async () => {
    const { scramFile } = await files([ALICE.user, ALICE.password], ['k\u00f6nig', 'x']);
    const lines: Record<string, unknown>[] = [];
    const logger = pino({ base: {}, level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const options = { threadingMode, logger, logLevel: 'debug', allowedAuthMethods: 'SCRAM-SHA-256' } as const;
    const daemon = await testDaemon({ ...options, scramFile });
    const port = daemon.port!;
    const session = await member(port, ALICE, 'al');
    await session.join('room');
    await member(port, { user: 'ko\u0308nig', password: 'x' });
    expect((await refusal(port, { ...ALICE, password: 'guess' })).message).toBe(
      'the daemon refused user "alice" or the password',
    );
    expect(await refusal(port, { user: 'nobody', password: 'guess' })).toMatchObject({ code: 'REJECT_AUTH' });
    expect(await refusal(port, 'NULL')).toMatchObject({ code: 'REJECT_AUTH' });
    expect([deliveryCount(daemon, 'PasswordsChecked'), deliveryCount(daemon, 'PasswordsWrong')]).toEqual([4, 2]);
    const opened = () =>
      lines.find(({ msg, session: name }) => msg === 'session opened' && String(name).includes('al#'));
    await eventually(() => opened() !== undefined, 'the line of the session');
    expect(opened()).toMatchObject({ user: 'alice' });
    await eventually(
      () => lines.some(({ reason }) => reason === 'authentication SCRAM-SHA-256: refused'),
      'the reason',
    );
    expect(JSON.stringify(lines)).not.toContain(ALICE.password);
  });
});

describe('the methods beside each other', () => {
  it('serve clients that choose either, and none is used unasked', async () => {
    const { scramFile, passwordFile } = await files([ALICE.user, ALICE.password]);
    const daemon = await testDaemon({ allowedAuthMethods: 'NULL PWORD SCRAM-SHA-256', scramFile, passwordFile });
    const port = daemon.port!;
    await member(port, 'NULL');
    await member(port, ALICE);
    const old = { user: 'alice', password: 'pencil' };
    await member(port, { ...old, methods: ['PWORD'] });
    // The better one is offered, so a wrong password for it is not tried with the other.
    expect(await refusal(port, { ...old, methods: ['SCRAM-SHA-256', 'PWORD'] })).toMatchObject({ code: 'REJECT_AUTH' });
    expect(deliveryCount(daemon, 'PasswordsChecked')).toBe(3);
  });

  it('never fall back to a readable password that nobody allowed', async () => {
    const { passwordFile } = await files();
    const daemon = await testDaemon({ allowedAuthMethods: 'PWORD', passwordFile });
    const port = daemon.port!;
    const login = { user: 'alice', password: 'pencil' };
    const { code, message } = await refusal(port, login);
    expect([code, message]).toEqual([
      'REJECT_AUTH',
      'auth method "SCRAM-SHA-256": the daemon offers only PWORD; PWORD would send the password readable, so it is used only where auth.methods (--auth PWORD) allows it',
    ]);
    expect(deliveryCount(daemon, 'PasswordsChecked')).toBe(0);
    await member(port, { ...login, methods: ['SCRAM-SHA-256', 'PWORD'] });
    await member(port, { ...login, methods: ['PWORD'] });
  });

  it('can be required, and then must be chosen', async () => {
    const { scramFile } = await files([ALICE.user, ALICE.password]);
    const both = 'NULL SCRAM-SHA-256';
    const daemon = await testDaemon({ allowedAuthMethods: both, requiredAuthMethods: 'SCRAM-SHA-256', scramFile });
    const started = Date.now();
    expect(await refusal(daemon.port!, 'NULL')).toMatchObject({ code: 'REJECT_AUTH' });
    // At once, rather than at the end of HandshakeTimeout.
    expect(Date.now() - started).toBeLessThan(4000);
    await member(daemon.port!, ALICE);
  });
});

describe('configurations', () => {
  it.each([
    [{ allowedAuthMethods: 'SCRAM-SHA-256' }, /allowedAuthMethods has SCRAM-SHA-256, which needs scramFile/],
    [
      { allowedAuthMethods: 'NULL', requiredAuthMethods: 'SCRAM-SHA-256', scramFile: '/x' },
      /requiredAuthMethods has SCRAM-SHA-256, which AllowedAuthMethods must have too/,
    ],
    [{ allowedAuthMethods: 'SCRAM-SHA-256', scramFile: '/nowhere/scram' }, /\/nowhere\/scram: cannot be read/],
  ])('%j are refused', async (options, problem) => {
    await expect(startDaemon({ port: 0, unixSocketDir: null, logLevel: 'silent', ...options })).rejects.toThrow(
      problem,
    );
  });

  it.each([
    ['10.1.2.3', 1],
    ['127.0.0.1', 0],
  ])('PWORD at %s: %i warnings by "conf check"', async (address, count) => {
    const { folder, passwordFile } = await files();
    const file = join(folder, 'spread.conf');
    const conf = `Spread_Segment ${address.replace(/\d+$/, '255')}:4803 { one ${address} }\nAllowedAuthMethods = "PWORD SCRAM-SHA-256"\n`;
    writeFileSync(file, `${conf}PasswordFile = ${passwordFile}\nScramFile = ${join(folder, 'scram')}\n`);
    const { stderr } = await skein(['conf', 'check', file, '--name', 'one']);
    const lines = stderr
      .split('\n')
      .filter((line) => /PWORD is offered without encryption at (10\.1\.2\.3|0\.0\.0\.0):/.test(line));
    expect(lines).toHaveLength(count);
  });

  it('a file that others can read is warned about, as are users that strangers could tell', async () => {
    const { folder, scramFile } = await files(['alice', 'x']);
    chmodSync(scramFile, 0o644);
    writeFileSync(scramFile, `${await lineOf('bob', 'y')}${scramLine(await scramEntry('eve', 'z', 5000))}\n`);
    const file = join(folder, 'spread.conf');
    writeFileSync(
      file,
      `Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nAllowedAuthMethods = SCRAM-SHA-256\nScramFile = ${scramFile}\n`,
    );
    const { code, stderr } = await skein(['conf', 'check', file]);
    expect(code).toBe(0);
    expect(stderr).toContain(`${scramFile}: mode 0644 lets others read or change what is kept of passwords`);
    expect(stderr).toContain('have 2 different iterations or lengths of salts');
    expect(stderr).toContain('has no line with a secret');
  });
});

describe('a reload', () => {
  it('takes users and passwords, and ends sessions of users that are gone, but no others', async () => {
    const { folder, scramFile } = await files([ALICE.user, ALICE.password], ['bob', 'old']);
    const file = join(folder, 'spread.conf');
    const conf = 'Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nUnixSocketDir = none\n';
    writeFileSync(file, `${conf}AllowedAuthMethods = SCRAM-SHA-256\nScramFile = ${scramFile}\n`);
    const daemon = await testDaemon({ configFile: file, unixSocketDir: undefined });
    const port = daemon.port!;
    const gone = await member(port, ALICE);
    gone.on('error', () => {});
    const stays = await member(port, { user: 'bob', password: 'old' });
    writeFileSync(scramFile, `${scramSecretLine(SECRET)}\n${await lineOf('bob', 'b')}${await lineOf('carol', 'c')}`);
    const report = await daemon.reload();
    expect(report.changed).toEqual([{ option: 'ScramFile', was: '2 users', now: '2 users' }]);
    await eventually(() => refusal(port, ALICE).then(({ code }) => code === 'REJECT_AUTH'), 'the user that is gone');
    await member(port, { user: 'bob', password: 'b' });
    await eventually(() => gone.closed, 'the end of the session');
    await stays.join('still-here');
    writeFileSync(scramFile, 'nonsense\n');
    await expect(daemon.reload()).rejects.toThrow(`${scramFile}:1:1: expected user:SCRAM-SHA-256`);
    await member(port, { user: 'carol', password: 'c' });
  });
});

/** One connection, by hand. */
class Wire {
  readonly #socket: Socket;
  #heard = Buffer.alloc(0);
  #ended = false;

  constructor(port: number) {
    this.#socket = connectTo(port, '127.0.0.1');
    this.#socket.on('data', (chunk) => {
      this.#heard = Buffer.concat([this.#heard, chunk]);
    });
    this.#socket.on('close', () => {
      this.#ended = true;
    });
    this.#socket.on('error', () => {});
    onTestFinished(() => void this.#socket.destroy());
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  say(text: string | Uint8Array): void {
    const message = Buffer.from(text as string);
    this.send(Buffer.concat([Buffer.of(message.length), message]));
  }

  async take(lengthBytes: number): Promise<Buffer> {
    await eventually(() => this.#heard.length >= lengthBytes || this.#ended, `${lengthBytes} bytes`);
    const bytes = this.#heard.subarray(0, lengthBytes);
    this.#heard = this.#heard.subarray(lengthBytes);
    return bytes;
  }

  /** All that comes until the daemon hangs up. */
  async rest(): Promise<Buffer> {
    await eventually(() => this.#ended, 'the end');
    return this.#heard;
  }

  async answer(): Promise<string> {
    const [code, length] = await this.take(2);
    expect(code).toBe(1);
    return (await this.take(length!)).toString();
  }
}

describe('a stranger', () => {
  async function choose(port: number, ...methods: readonly string[]): Promise<Wire> {
    const wire = new Wire(port);
    wire.send(connectBytes('', false));
    const [length] = await wire.take(1);
    await wire.take(length!);
    wire.send(authChoice(...methods));
    return wire;
  }
  const start = async () => {
    const { scramFile, passwordFile } = await files([ALICE.user, ALICE.password]);
    const allowedAuthMethods = 'NULL PWORD SCRAM-SHA-256';
    return testDaemon({ allowedAuthMethods, scramFile, passwordFile, handshakeTimeout: 3000 });
  };
  const shape = (text: string): string => text.replace(/(?<=r=own)[^,]*/, 'N').replace(/(?<=s=)[^,]*/, 'S');
  const PROOF = Buffer.alloc(32).toString('base64');

  it('cannot tell users from others, nor by a second try', async () => {
    const { port } = await start();
    const alice: string[] = [];
    const nobody: string[] = [];
    for (const [user, challenges] of [
      ['alice', alice],
      ['nobody', nobody],
      ['alice', alice],
      ['nobody', nobody],
    ] as const) {
      const wire = await choose(port!, 'SCRAM-SHA-256');
      wire.say(`n,,n=${user},r=own`);
      const challenge = await wire.answer();
      challenges.push(challenge);
      const nonce = /r=([^,]*)/.exec(challenge)![1]!;
      wire.say(`c=biws,r=${nonce},p=${PROOF}`);
      expect((await wire.rest()).toString('hex')).toBe('f7');
    }
    expect(shape(alice[0]!)).toBe(shape(nobody[0]!));
    for (const [one, two] of [alice, nobody]) {
      expect(/s=[^,]*/.exec(one!)![0]).toBe(/s=[^,]*/.exec(two!)![0]);
      expect(one).not.toBe(two);
    }
    expect(alice[0]!.length).toBe(nobody[0]!.length);
  });

  it('gets nothing from an exchange that was recorded', async () => {
    const { port } = await start();
    const said: Buffer[] = [];
    const relay = createServer((client) => {
      const daemon = connectTo(port!, '127.0.0.1');
      client.on('data', (chunk) => {
        said.push(chunk);
        daemon.write(chunk);
      });
      daemon.on('data', (chunk) => client.write(chunk));
      for (const socket of [client, daemon])
        socket.on('error', () => {}).on('close', () => [client, daemon].map((one) => one.destroy()));
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void relay.close());
    await member((relay.address() as { port: number }).port, ALICE);
    const heard = Buffer.concat(said);
    expect(heard.includes(ALICE.password)).toBe(false);
    const at = 5 + 90;
    const first = heard.subarray(at, at + 1 + heard[at]!);
    const final = heard.subarray(at + first.length, at + first.length + 1 + heard[at + first.length]!);
    const wire = await choose(port!, 'SCRAM-SHA-256');
    wire.send(first);
    await wire.answer();
    wire.send(final);
    expect((await wire.rest()).toString('hex')).toBe('f7');
  });

  it.each<[string, readonly (string | Uint8Array)[]]>([
    ['the last message first', [`c=biws,r=own,p=${PROOF}`]],
    ['an empty message', ['']],
    ['a message of 255 bytes', ['n,,n=alice,r='.padEnd(255, 'x')]],
    ['bytes that are no text', [Uint8Array.of(0xff, 0xfe, 0)]],
    ['the first message twice', ['n,,n=alice,r=own', 'n,,n=alice,r=own']],
    ['a proof for another nonce', ['n,,n=alice,r=own', `c=biws,r=own,p=${PROOF}`]],
  ])('is refused with %s, and nobody else notices', async (_, messages) => {
    const { port } = await start();
    const wire = await choose(port!, 'SCRAM-SHA-256');
    for (const [i, message] of messages.entries()) {
      wire.say(message);
      if (i < messages.length - 1) await wire.answer();
    }
    expect((await wire.rest()).toString('hex')).toBe('f7');
    await member(port!, ALICE);
  });

  it('is refused when the two methods are of different users, and not when they are of one', async () => {
    const { scramFile, passwordFile } = await files([ALICE.user, ALICE.password], ['bob', 'b']);
    const { port } = await testDaemon({ allowedAuthMethods: 'PWORD SCRAM-SHA-256', scramFile, passwordFile });
    const { passwordAuth, scramAuth } = await import('../../client/index.ts');
    const pword = passwordAuth({ user: 'alice', password: 'pencil' });
    const other = scramAuth({ user: 'bob', password: 'b' });
    for (const auth of [
      [pword, other],
      [other, pword],
    ])
      expect(await refusal(port!, auth)).toMatchObject({ code: 'REJECT_AUTH' });
    await member(port!, [pword, scramAuth(ALICE)]);
    await member(port!, [scramAuth(ALICE), pword]);
  });

  it('who poses as the daemon is found out', async () => {
    const answers = async (challenge: (nonce: string) => string, final: string): Promise<SkeinError> => {
      const server = createServer((socket) => {
        const text = (message: string) => Buffer.concat([Buffer.of(1, message.length), Buffer.from(message)]);
        socket.on('error', () => {});
        socket.once('data', () => socket.write(Buffer.concat([Buffer.of(14), Buffer.from('SCRAM-SHA-256 ')])));
        socket.on('data', (chunk) => {
          const heard = chunk.toString('latin1');
          const first = /n,,n=alice,r=([^,]*)/.exec(heard);
          if (first !== null) socket.write(text(challenge(first[1]!)));
          if (heard.includes('c=biws')) socket.write(text(final));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      return refusal((server.address() as { port: number }).port, ALICE);
    };
    const salt = Buffer.alloc(16).toString('base64');
    const good = (nonce: string): string => `r=${nonce}x,s=${salt},i=4096`;
    const errors = [
      await answers(good, `v=${PROOF}`),
      await answers(good, 'e=other-error'),
      await answers((nonce) => `r=${nonce}x,s=${salt},i=1`, ''),
      await answers((nonce) => `r=${nonce}x,s=${salt},i=99999999`, ''),
      await answers((nonce) => `r=X${nonce},s=${salt},i=4096`, ''),
    ];
    expect(errors.map(({ code }) => code)).toEqual(errors.map(() => 'REJECT_AUTH'));
    expect(errors.map(({ message }) => message)).toEqual([
      'the daemon does not know the password of user "alice": its signature is wrong',
      'the daemon is not believed: SCRAM-SHA-256: the daemon says "e=other-error"',
      expect.stringContaining('iterations "i=1": must be "i=" and 4096 to 1000000'),
      expect.stringContaining('iterations "i=99999999": must be "i=" and 4096 to 1000000'),
      expect.stringContaining('begin with the nonce of this client'),
    ]);
  });
});

describe('skein passwd', () => {
  const run = (args: readonly string[], input = 'first\n') => skein(['passwd', ...args], input);

  it('sets, changes and removes passwords in a file that only its owner can read', async () => {
    const folder = testFolder();
    const file = join(folder, 'scram');
    const cheap = ['--iterations', '4096'];
    expect(await run([file, 'alice', ...cheap])).toEqual({
      code: 0,
      stdout: `${file}: password of user "alice" set; send every daemon with this file SIGHUP\n`,
      stderr: '',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await run([file, 'bob', ...cheap, '--stdin'], 'b\n');
    writeFileSync(file, `${readFileSync(file, 'utf8')}# the end\n`);
    const daemon = await testDaemon({ allowedAuthMethods: 'SCRAM-SHA-256', scramFile: file });
    await member(daemon.port!, { user: 'alice', password: 'first' });
    const before = readFileSync(file, 'utf8').split('\n');
    await run([file, 'alice', ...cheap], 'second\n');
    const after = readFileSync(file, 'utf8').split('\n');
    const changed = after.flatMap((line, i) => (line === before[i] ? [] : [line.split(':')[0]]));
    expect([after.length, changed]).toEqual([before.length, ['alice']]);
    expect(after.filter((line) => line.startsWith('*:secret$'))).toHaveLength(1);
    const out = await skein(['publish', 'news', '-s', `127.0.0.1:${daemon.port}`, '--login', 'bob'], 'x\n', {
      SKEIN_PASSWORD: 'b',
    });
    expect(out).toMatchObject({ code: 0 });
    expect(await run([file, 'alice', '--delete'])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).not.toContain('alice');
    expect(await run([file, 'alice', '--delete'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `skein: ${file} has no user "alice"\n`,
    });
  });

  it('changes what a link leads to', async () => {
    const folder = testFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real', 'scram'), join(folder, 'link'));
    writeFileSync(join(folder, 'real', 'scram'), '', { mode: 0o640 });
    chmodSync(join(folder, 'real', 'scram'), 0o640);
    await run([join(folder, 'link'), 'alice', '--iterations', '4096']);
    expect(readFileSync(join(folder, 'real', 'scram'), 'utf8')).toContain('\nalice:SCRAM-SHA-256$4096:');
    expect(statSync(join(folder, 'real', 'scram')).mode & 0o777).toBe(0o640);
  });

  it.each<[string, (file: string) => readonly string[], string, number, RegExp]>([
    ['an empty password', (file) => [file, 'alice'], '\n', 2, /the password must be 1 to 1024 bytes/],
    ['a user with a colon', (file) => [file, 'a:b'], 'x\n', 2, /user "a:b": must be 1 to 31 bytes/],
    ['few iterations', (file) => [file, 'a', '--iterations', '4095'], 'x\n', 2, /integer from 4096 to 1000000/],
    [
      'an option of the other method',
      (file) => [file, 'a', '--cost', '16384'],
      'x\n',
      2,
      /--cost is of --method PWORD/,
    ],
    [
      'the same the other way',
      (file) => [file, 'a', '--method', 'PWORD', '--iterations', '5000'],
      'x\n',
      2,
      /use --cost/,
    ],
    ['a password to delete', (file) => [file, 'a', '--delete', '--stdin'], 'x\n', 2, /--delete needs no password/],
    [
      '9 bytes for PWORD',
      (file) => [file, 'a', '--method', 'PWORD'],
      '123456789\n',
      2,
      /has 9 bytes, must have 1 to 8/,
    ],
    ['a folder that is not there', (file) => [`${file}/x/y`, 'a'], 'x\n', 1, /ENOENT/],
    ['no user', (file) => [file], 'x\n', 2, /missing required argument 'user'/],
  ])('refuses %s', async (_, args, input, code, message) => {
    const file = join(testFolder(), 'scram');
    const result = await run(args(file), input);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  it('refuses a file that others can read, one of the other method, and one that is being changed', async () => {
    const file = join(testFolder(), 'scram');
    writeFileSync(file, '');
    chmodSync(file, 0o604);
    expect((await run([file, 'alice'])).stderr).toMatch(
      /mode 0604 lets others read or change what is kept of passwords/,
    );
    chmodSync(file, 0o600);
    writeFileSync(file, `${passwordLine(await passwordEntry('x', 'y', 16_384))}\n`);
    expect((await run([file, 'alice'])).stderr).toMatch(/scram:1: is a line of the method PWORD/);
    writeFileSync(`${file}.new`, '');
    expect((await run([file, 'x', '--method', 'PWORD'])).stderr).toMatch(
      /another passwd is running, or was killed; in that case remove the file/,
    );
    expect(readFileSync(file, 'utf8')).toMatch(/^x:scrypt\$16384/);
  });

  it.each([
    ['a method that needs a user', ['--auth', 'PWORD'], /--auth PWORD needs the user: --login USER/],
    ['a user for a method without', ['--auth', 'IP', '--login', 'x'], /--auth IP takes no user/],
  ])('the commands of clients refuse %s', async (_, flags, message) => {
    const result = await skein(['publish', 'news', ...flags], '', { SKEIN_PASSWORD: 'x' });
    expect(result).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });
});
