/** Which clients may connect, and the answer to the others (client-protocol.md, 1.3 to 1.9), against a daemon with real sockets. */
import { scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Daemon } from '../../daemon/start-daemon.ts';
import { deliveryCount, eventually, freePort, orderingCount, testClient, testDaemon } from './support/daemons.ts';
import { authChoice, connectBytes, type Target, WireClient, WireSocket } from './support/wire-client.ts';
import { encodeFrame, JOIN } from './support/wire-frames.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-connect-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(text: string): string {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, text);
  return path;
}

const ACCEPTED = '01040400';
const REFUSED = 'f7';

const padded = (text: string, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  bytes.write(text, 'latin1');
  return bytes;
};

const credentials = (user: string, password: string): Buffer => Buffer.concat([padded(user, 32), padded(password, 8)]);

function open(target: Target): WireSocket {
  const socket = new WireSocket(target);
  onTestFinished(() => socket.close());
  return socket;
}

const openTo = (daemon: Daemon): WireSocket => open({ port: daemon.port! });

interface Attempt {
  readonly methods?: readonly string[];
  readonly extra?: Buffer;
  readonly name?: string;
  /** Sent a while after all else. */
  readonly late?: Uint8Array;
}

const LATE_MS = 30;

/** Connects and authenticates. @returns the list of methods, and what came behind it up to the private name or the end */
async function attempt(socket: WireSocket, { methods = ['NULL'], extra, late, name = 'alice' }: Attempt = {}) {
  socket.send(connectBytes(name, true));
  const list = await socket.take((await socket.take(1))[0]!);
  socket.send(authChoice(...methods));
  if (extra !== undefined) socket.send(extra);
  if (late !== undefined) setTimeout(() => socket.send(late), LATE_MS);
  await socket.until(() => socket.ended || socket.gather().length > 10, 'an answer');
  return { list: list.toString('latin1'), answer: socket.gather().toString('hex') };
}

describe('IP', () => {
  const ipDaemon = (accessFile: string, requiredAuthMethods = ''): Promise<Daemon> =>
    testDaemon({ allowedAuthMethods: 'IP NULL', requiredAuthMethods, accessIpFile: fileOf(accessFile) });

  it('lets listed addresses in and no others', async () => {
    const allowing = await ipDaemon('# us\n\n127.0.0.0/8\n');
    expect(await attempt(openTo(allowing), { methods: ['IP'] })).toMatchObject({
      list: 'NULL IP ',
      answer: expect.stringMatching(`^${ACCEPTED}`),
    });
    const denying = await ipDaemon('10.0.0.0/8\nunix\n');
    expect((await attempt(openTo(denying), { methods: ['IP'] })).answer).toBe(REFUSED);
    // Allowed is not required: a client that chooses NULL is not checked.
    expect((await attempt(openTo(denying), { name: 'bob' })).answer).toMatch(ACCEPTED);
  });

  it('required, is checked also for clients that did not choose it', async () => {
    const denying = await ipDaemon('10.1.2.3\n', 'IP');
    expect((await attempt(openTo(denying))).answer).toBe(REFUSED);
    expect((await attempt(openTo(await ipDaemon('local\n', 'IP')))).answer).toMatch(ACCEPTED);
  });

  it('has its own rule for clients of the Unix socket', async () => {
    for (const [accessFile, answer] of [
      ['unix\n', ACCEPTED],
      ['local\n', REFUSED],
    ] as const) {
      const port = await freePort();
      const options = { allowedAuthMethods: 'IP', accessIpFile: fileOf(accessFile), unixSocketDir: folder, port };
      const daemon = await testDaemon(options);
      const socket = open({ path: join(folder, String(port)) });
      expect((await attempt(socket, { methods: ['IP'] })).answer).toMatch(new RegExp(`^${answer}`));
      await daemon.stop();
    }
  });

  it('names the access file that is missing', async () => {
    const accessIpFile = join(folder, 'no such file');
    await expect(testDaemon({ allowedAuthMethods: 'IP', accessIpFile })).rejects.toThrow(/ENOENT.*no such file/);
  });
});

/** Takes a millisecond: the exchange is tested, not scrypt. */
function passwordLine(user: string, password: string): string {
  const salt = Buffer.from('0123456789abcdef');
  const hash = scryptSync(password, salt, 32, { N: 16, r: 8, p: 1 });
  return `${user}:scrypt$16$8$1$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

interface PasswordDaemon {
  readonly allowed?: string;
  readonly required?: string;
  readonly timeoutMs?: number;
}

describe('PWORD', () => {
  const passwordDaemon = (options: PasswordDaemon = {}): Promise<Daemon> =>
    testDaemon({
      allowedAuthMethods: options.allowed ?? 'PWORD',
      requiredAuthMethods: options.required ?? '',
      passwordFile: fileOf(`# users\n${passwordLine('carol', 'secret')}${passwordLine('dave', '8 bytes.')}`),
      handshakeTimeout: options.timeoutMs ?? 10_000,
    });

  it('lets in a client with the right password: 1, then ACCEPT', async () => {
    const daemon = await passwordDaemon();
    for (const [name, user, password] of [
      ['one', 'carol', 'secret'],
      ['two', 'dave', '8 bytes.'],
    ] as const) {
      const extra = credentials(user, password);
      expect(await attempt(openTo(daemon), { methods: ['PWORD'], name, extra })).toMatchObject({
        list: 'PWORD ',
        answer: expect.stringMatching(`^01${ACCEPTED}`),
      });
    }
  });

  it.each([
    ['a wrong password', 'carol', 'secreT'],
    ['another user’s password', 'dave', 'secret'],
    ['an unknown user', 'mallory', 'secret'],
    ['no password', 'carol', ''],
    ['nothing', '', ''],
  ])('refuses %s with the same bytes: 0, then -9', async (_, user, password) => {
    const daemon = await passwordDaemon();
    const { answer } = await attempt(openTo(daemon), { methods: ['PWORD'], extra: credentials(user, password) });
    expect(answer).toBe(`00${REFUSED}`);
    await eventually(() => orderingCount(daemon, 'Sessions') === 0, 'the name to be free again');
  });

  it('waits for the rest of a password, but not forever', async () => {
    const daemon = await passwordDaemon();
    const whole = credentials('carol', 'secret');
    const slow = openTo(daemon);
    const parts = { extra: whole.subarray(0, 33), late: whole.subarray(33) };
    expect((await attempt(slow, { methods: ['PWORD'], ...parts })).answer).toMatch(`01${ACCEPTED}`);
    const short = { methods: ['PWORD'], name: 'bob', extra: whole.subarray(0, 39) };
    const hasty = await passwordDaemon({ timeoutMs: 1000 });
    expect((await attempt(openTo(hasty), short)).answer).toBe(REFUSED);
  });

  it('required, is asked for after the chosen method; merely allowed, it is not', async () => {
    const required = await passwordDaemon({ allowed: 'NULL PWORD', required: 'PWORD' });
    const extra = credentials('carol', 'secret');
    expect(await attempt(openTo(required), { extra })).toMatchObject({
      list: 'NULL PWORD ',
      answer: expect.stringMatching(`^01${ACCEPTED}`),
    });
    expect((await attempt(openTo(required), { name: 'bob', extra: credentials('carol', 'no') })).answer).toBe('00f7');
    const allowed = await passwordDaemon({ allowed: 'NULL PWORD' });
    expect((await attempt(openTo(allowed))).answer).toMatch(new RegExp(`^${ACCEPTED}`));
  });

  it('checks many at once and mixes none up', async () => {
    const daemon = await passwordDaemon();
    const attempts = Array.from({ length: 40 }, (_, i) => ({
      name: `p${i}`,
      extra: credentials('carol', i % 2 === 0 ? 'secret' : `wrong${i}`),
    }));
    const answers = await Promise.all(attempts.map((one) => attempt(openTo(daemon), { ...one, methods: ['PWORD'] })));
    for (const [i, { answer }] of answers.entries()) {
      expect(answer).toMatch(i % 2 === 0 ? new RegExp(`^01${ACCEPTED}`) : /^00f7$/);
    }
  });
});

describe('old libraries', () => {
  it.each([
    [[3, 14], '010404'],
    [[3, 15, 0], ACCEPTED],
  ])('%j: accepted without a list of methods, and served', async (version, accepted) => {
    const daemon = await testDaemon();
    const socket = openTo(daemon);
    socket.send(connectBytes('old', true, version));
    const privateName = Buffer.from('#old#localhost');
    const answer = await socket.take(accepted.length / 2 + 1 + privateName.length);
    expect(answer.toString('hex')).toBe(`${accepted}0e${privateName.toString('hex')}`);
    socket.send(encodeFrame({ type: JOIN, sender: '#old#localhost', groups: ['room'] }));
    const view = await socket.take(136);
    expect(view.readUInt32LE(0)).toBe(0x8000_1180);
  });

  it('are checked by IP when it is on', async () => {
    const denying = await testDaemon({ allowedAuthMethods: 'IP NULL', accessIpFile: fileOf('10.0.0.1\n') });
    const socket = openTo(denying);
    socket.send(connectBytes('old', true, [3, 14]));
    expect((await socket.takeToEnd()).toString('hex')).toBe(REFUSED);
  });
});

describe('slow and broken handshakes', () => {
  it('end after the time allowed: silently in CONNECT, with -9 in authentication', async () => {
    const daemon = await testDaemon({ handshakeTimeout: 750 });
    const silent = openTo(daemon);
    const hesitant = openTo(daemon);
    const undecided = openTo(daemon);
    hesitant.send(connectBytes('hesitant', true).subarray(0, 7));
    undecided.send(connectBytes('undecided', true));
    expect(await silent.takeToEnd()).toHaveLength(0);
    expect(await hesitant.takeToEnd()).toHaveLength(0);
    expect((await undecided.takeToEnd()).toString('hex')).toBe(`054e554c4c20${REFUSED}`);
    // A name that was requested but not given is free again.
    await eventually(() => orderingCount(daemon, 'Sessions') === 0, 'the name to be free');
    expect((await testClient(daemon, 'undecided')).privateName).toBe('#undecided#localhost');
  });

  it('byte by byte and in one piece give the same answers', async () => {
    const daemon = await testDaemon();
    const slow = openTo(daemon);
    for (const byte of Buffer.concat([connectBytes('slow', true), authChoice('NULL')])) {
      slow.send(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const hasty = openTo(daemon);
    const join = encodeFrame({ type: JOIN, sender: '#hasty#localhost', groups: ['room'] });
    hasty.send(Buffer.concat([connectBytes('hasty', true), authChoice('NULL'), join]));
    expect((await slow.take(6 + 5 + 15)).toString('hex', 6, 10)).toBe(ACCEPTED);
    expect((await hasty.take(6 + 5 + 16 + 136)).readUInt32LE(6 + 5 + 16)).toBe(0x8000_1180);
  });

  it('do not delay other clients', async () => {
    const daemon = await testDaemon();
    for (let i = 0; i < 50; i++) openTo(daemon).send(Uint8Array.of(4));
    expect((await testClient(daemon, 'alice')).privateName).toBe('#alice#localhost');
  });
});

describe('names and numbers of sessions', () => {
  it('refuses one more than MaxSessions with -3 right after accept, and serves again when one has left', async () => {
    const daemon = await testDaemon({ maxSessions: 2 });
    const first = await testClient(daemon, 'first');
    await testClient(daemon, 'second');
    const third = openTo(daemon);
    expect((await third.takeToEnd()).toString('hex')).toBe('fd');
    first.close();
    await eventually(() => orderingCount(daemon, 'Sessions') === 1, 'the first to be gone');
    expect((await testClient(daemon, 'third')).privateName).toBe('#third#localhost');
  });

  it('counts no connection that failed to authenticate', async () => {
    const options = { allowedAuthMethods: 'IP', accessIpFile: fileOf('10.0.0.1\n'), maxSessions: 2 };
    const daemon = await testDaemon(options);
    for (let i = 0; i < 6; i++) {
      expect((await attempt(openTo(daemon), { methods: ['IP'], name: `x${i}` })).answer).toBe(REFUSED);
      await eventually(() => orderingCount(daemon, 'Sessions') === 0, 'its name to be free');
    }
  });

  it('refuses a name in use with -6 in place of the list of methods', async () => {
    const daemon = await testDaemon();
    await testClient(daemon, 'alice');
    const second = openTo(daemon);
    second.send(connectBytes('alice', true));
    expect((await second.takeToEnd()).toString('hex')).toBe('fa');
    expect((await testClient(daemon, 'ALICE')).privateName).toBe('#ALICE#localhost');
  });

  it('gives a name to the client that authenticates first, not to the one that asked first', async () => {
    const daemon = await testDaemon();
    const first = openTo(daemon);
    first.send(connectBytes('alice', true));
    await first.take(6);
    expect(orderingCount(daemon, 'Sessions')).toBe(0);
    expect((await testClient(daemon, 'alice')).privateName).toBe('#alice#localhost');
    // In place of ACCEPT.
    first.send(authChoice('NULL'));
    expect((await first.takeToEnd()).toString('hex')).toBe('fa');
  });

  it('keeps no name for clients that ask for it and disconnect at any point of the handshake', async () => {
    const daemon = await testDaemon({ allowedAuthMethods: 'NULL PWORD', passwordFile: fileOf(passwordLine('x', 'y')) });
    const whole = Buffer.concat([connectBytes('alice', true), authChoice('PWORD'), credentials('nobody', 'wrong')]);
    for (let length = 1; length <= whole.length; length += 3) {
      const socket = openTo(daemon);
      socket.send(whole.subarray(0, length));
      if (length % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      socket.close();
      expect(orderingCount(daemon, 'Sessions')).toBe(0);
    }
    expect((await testClient(daemon, 'alice')).privateName).toBe('#alice#localhost');
  });

  it('gives a name to the next client once the disconnect is ordered', async () => {
    const daemon = await testDaemon();
    for (let i = 0; i < 30; i++) {
      const client = await eventuallyConnects(daemon, 'phoenix');
      if (i % 3 === 0) client.kill();
      else if (i % 3 === 1) client.close();
      else client.socket.resetAndDestroy();
      client.close();
    }
    await eventually(() => orderingCount(daemon, 'Sessions') === 0, 'all to be gone');
  });

  it('invents a different name for each client that brings none', async () => {
    const daemon = await testDaemon();
    const clients = await Promise.all(Array.from({ length: 50 }, () => testClient(daemon, { name: '' })));
    const names = new Set(clients.map((client) => client.privateName));
    expect(names.size).toBe(clients.length);
    for (const name of names) expect(name).toMatch(/^#r\d{1,4}-\d{1,3}#localhost$/);
  });

  it('takes 500 connections at once, all served and all gone afterwards', async () => {
    const daemon = await testDaemon();
    const names = Array.from({ length: 500 }, (_, i) => `c${i}`);
    const clients = await Promise.all(names.map((name) => testClient(daemon, { name, membership: false })));
    await eventually(() => deliveryCount(daemon, 'SessionsOpen') === 500, '500 sessions');
    for (const client of clients) client.join('room');
    await Promise.all(clients.map((client) => client.barrier()));
    clients[0]!.multicast('room', 'to all 500');
    const received = await Promise.all(clients.map((client) => client.messages(1)));
    expect(received.every(([text]) => text === 'to all 500')).toBe(true);
    for (const client of clients) client.close();
    await eventually(() => orderingCount(daemon, 'Sessions') === 0, 'all to be gone');
    expect(deliveryCount(daemon, 'SessionsOpen')).toBe(0);
    expect(orderingCount(daemon, 'Groups')).toBe(0);
  });
});

/** The client's part of 1.3: the name of a client that has just left may be refused for a moment. */
async function eventuallyConnects(daemon: Daemon, name: string): Promise<WireClient> {
  for (let left = 200; ; left--) {
    try {
      return await WireClient.connect({ port: daemon.port! }, { name });
    } catch (error) {
      if (left === 0 || !String(error).includes('refused with -6')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
