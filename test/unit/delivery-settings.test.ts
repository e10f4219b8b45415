/** Every setting of delivery can change while the daemon runs. */

import { scryptSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseAccessFile } from '../../engine/access/access-file.ts';
import { ControlWords } from '../../engine/buffers/control-words.ts';
import { EMPTY_ACCESS_LIST, parseAccessIp } from '../../engine/config/access-ip.ts';
import type { PasswordEntry } from '../../engine/config/password-file.ts';
import { CONNECT_TAKES_NOTICES, CONNECT_WANTS_MEMBERSHIP } from '../../engine/wire/connect-flags.ts';
import { type DeliverySettings, shareOfWorker } from '../../workers/delivery/delivery-settings.ts';
import { authChoice, connectBytes } from '../e2e/support/wire-client.ts';
import { MemoryDaemon } from './memory-daemon.ts';

const SALT = Buffer.alloc(16, 1);
const COST = { cost: 16, blockSize: 8, parallelization: 1 };

const passwordOf = (user: string, password: string): PasswordEntry => ({
  ...{ user, ...COST, salt: SALT.toString('base64') },
  hash: scryptSync(password, SALT, 32, { N: 16, r: 8, p: 1 }).toString('base64'),
});

const passwordsOf = (password: string) => new Map([['user', passwordOf('user', password)]]);

function credentials(password: string): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.write('user', 0, 'latin1');
  bytes.write(password, 32, 'latin1');
  return bytes;
}

function change(daemon: MemoryDaemon, part: Partial<DeliverySettings>): void {
  daemon.delivery.prepare({ delivery: { ...daemon.spec.delivery, ...part } })();
}

/** @returns the daemon's answer to a login: its list of methods, then 1 when accepted */
async function loginWith(daemon: MemoryDaemon, name: string, method: string, proof: Buffer = Buffer.alloc(0)) {
  const client = daemon.connect(name);
  client.transport.send(Buffer.concat([connectBytes(name, true), authChoice(method), proof]));
  daemon.settle();
  const list = client.take();
  const methods = list.subarray(1, 1 + list[0]!).toString('latin1');
  let answer = list.subarray(1 + list[0]!);
  const mustWait = (): boolean => daemon.count('PasswordsWaiting') + daemon.count('PasswordsRunning') > 0;
  while (mustWait()) {
    await new Promise((resolve) => setImmediate(resolve));
    daemon.settle();
  }
  answer = Buffer.concat([answer, client.take()]);
  return { methods, isIn: method === 'PWORD' ? answer[0] === 1 && answer[1] === 1 : answer[0] === 1 };
}

/** A client that reads nothing, with `frames` frames of a kilobyte waiting for it. */
function slowClient(daemon: MemoryDaemon) {
  const sender = daemon.login('sender');
  const slow = daemon.login('slow', 2000);
  for (const client of [sender, slow]) {
    client.join('room');
    client.frames();
  }
  const send = (frames: number): void => {
    for (let i = 0; i < frames; i++) sender.transport.send(sender.message('room', Buffer.alloc(1000)));
    daemon.settle();
  };
  return { slow, send };
}

/** For each setting, a proof that it takes effect with the change, and not before. */
const PROOFS: Record<keyof DeliverySettings, (daemon: MemoryDaemon) => void | Promise<void>> = {
  maxSessions: (daemon) => {
    const [one, two] = [daemon.login('one'), daemon.login('two')];
    change(daemon, { maxSessions: 2 });
    const late = daemon.connect('late');
    daemon.settle();
    expect([late.transport.isEnded, daemon.count('HandshakesRefused')]).toEqual([true, 1]);
    // Those beyond a lower limit stay.
    change(daemon, { maxSessions: 1 });
    daemon.settle();
    expect([one.transport.isClosed, two.transport.isClosed]).toEqual([false, false]);
    change(daemon, { maxSessions: 3 });
    daemon.login('third');
  },
  clientTimeoutMs: (daemon) => {
    const client = daemon.login('client');
    expect(client.transport.idleMs).toBe(7_200_000);
    change(daemon, { clientTimeoutMs: 60_000 });
    expect([client.transport.idleMs, daemon.login('late').transport.idleMs]).toEqual([50_000, 50_000]);
  },
  unixSocketMode: (daemon) => {
    change(daemon, { unixSocketMode: 0o600 });
    expect([daemon.listener.host.settings.current.unixSocketMode, daemon.listener.changes]).toEqual([0o600, 1]);
  },
  handshakeTimeoutMs: (daemon) => {
    const before = daemon.connect('before');
    daemon.pass(2000);
    expect(before.transport.isClosed).toBe(false);
    before.transport.abort();
    change(daemon, { handshakeTimeoutMs: 500 });
    const after = daemon.connect('after');
    daemon.pass(1000);
    expect([after.transport.isClosed, daemon.count('HandshakesTimedOut')]).toEqual([true, 1]);
  },
  maxHandshakes: (daemon) => {
    daemon.connect('one');
    daemon.connect('two');
    expect(daemon.count('HandshakesCrowdedOut')).toBe(0);
    change(daemon, { maxHandshakes: 2 });
    daemon.connect('three');
    expect(daemon.count('HandshakesCrowdedOut')).toBe(1);
  },
  maxWaitingPasswords: async (daemon) => {
    const auth = { allowed: ['PWORD'], required: [] } as const;
    change(daemon, { auth, passwords: passwordsOf('a'), maxWaitingPasswords: 1 });
    const three = await Promise.all(['a', 'b', 'c'].map((name) => loginWith(daemon, name, 'PWORD', credentials('a'))));
    expect([three.map(({ isIn }) => isIn), daemon.count('PasswordsBusy')]).toEqual([[true, true, true], 0]);
    change(daemon, { auth, passwords: passwordsOf('a'), maxWaitingPasswords: 0 });
    await Promise.all(['d', 'e', 'f'].map((name) => loginWith(daemon, name, 'PWORD', credentials('a'))));
    expect(daemon.count('PasswordsBusy')).toBe(1);
  },
  maxInputBytes: (daemon) => {
    const client = daemon.login('client');
    client.transport.send(client.message('room', Buffer.alloc(50_000)).subarray(0, 30_000));
    daemon.pass(5000);
    expect(client.transport.isClosed).toBe(false);
    change(daemon, { maxInputBytes: 1000 });
    daemon.pass(100);
    expect([client.transport.isClosed, daemon.count('InputsEnded')]).toEqual([true, 1]);
  },
  drainViewBytes: async () => {
    // Two daemons: the other one is where clients can go.
    const daemon = await MemoryDaemon.start({
      configText: 'Spread_Segment 127.0.0.255:4803 { d 127.0.0.1\n other 127.0.0.2 }',
    });
    new ControlWords(daemon.memory.words).tellServing([0, 1]);
    for (let i = 0; i < 10; i++)
      daemon.login(`c${i}`, undefined, undefined, CONNECT_WANTS_MEMBERSHIP | CONNECT_TAKES_NOTICES).join('room');
    daemon.settle();
    // Ten names twice: about 900 bytes each.
    change(daemon, { drainViewBytes: 10_000 });
    daemon.delivery.move(1000);
    daemon.pass(150);
    expect([daemon.count('NoticesSent'), daemon.count('SessionsNotTold')]).toEqual([2, 1]);
    change(daemon, { drainViewBytes: 1_000_000 });
    daemon.pass(100);
    expect(daemon.count('NoticesSent')).toBe(9);
  },
  maxQueuedBytes: (daemon) => {
    const { slow, send } = slowClient(daemon);
    send(100);
    expect(slow.transport.isClosed).toBe(false);
    change(daemon, { maxQueuedBytes: 1 });
    // Only bytes that were copied out of the log count.
    for (let i = 0; i < 100 && !slow.transport.isClosed; i++) send(600);
    expect([slow.transport.isClosed, daemon.count('QueuesEnded')]).toEqual([true, 1]);
  },
  limits: (daemon) => {
    const { slow, send } = slowClient(daemon);
    send(50);
    expect(slow.transport.isClosed).toBe(false);
    change(daemon, { limits: { ...daemon.spec.delivery.limits, maxSessionMessages: 50 } });
    send(10);
    expect([slow.transport.isClosed, daemon.count('SlowConsumersEnded')]).toEqual([true, 1]);
  },
  maxSessionGroups: (daemon) => {
    const client = daemon.login('client');
    for (const group of ['a', 'b']) client.join(group);
    daemon.settle();
    change(daemon, { maxSessionGroups: 1 });
    client.join('c');
    daemon.settle();
    expect(daemon.count('JoinsRefused')).toBe(1);
    change(daemon, { maxSessionGroups: 3 });
    client.join('c');
    daemon.settle();
    expect(daemon.count('JoinsRefused')).toBe(1);
  },
  auth: async (daemon) => {
    expect(await loginWith(daemon, 'a', 'NULL')).toEqual({ methods: 'NULL ', isIn: true });
    change(daemon, { auth: { allowed: ['IP'], required: [] }, access: parseAccessIp('unix\n') });
    expect(await loginWith(daemon, 'b', 'IP')).toEqual({ methods: 'IP ', isIn: true });
    // Open sessions stay.
    expect(daemon.count('SessionsOpen')).toBe(2);
  },
  access: async (daemon) => {
    const auth = { allowed: ['IP'], required: [] } as const;
    change(daemon, { auth, access: EMPTY_ACCESS_LIST });
    expect((await loginWith(daemon, 'a', 'IP')).isIn).toBe(false);
    change(daemon, { auth, access: parseAccessIp('unix\n') });
    expect((await loginWith(daemon, 'b', 'IP')).isIn).toBe(true);
  },
  // That listeners take a new certificate: test/e2e/tls.test.ts.
  tls: (daemon) => {
    const tls = { certificate: 'c', key: 'k', authority: null, clientCertificate: 'none' } as const;
    expect(daemon.listener.host.settings.current.tls).toBeNull();
    change(daemon, { tls });
    expect([daemon.listener.host.settings.current.tls, daemon.listener.changes]).toEqual([tls, 1]);
  },
  // Which pages get in then: test/e2e/websocket.test.ts.
  webSocketOrigins: (daemon) => {
    const webSocketOrigins = ['https://a.example'];
    expect(daemon.listener.host.settings.current.webSocketOrigins).toEqual([]);
    change(daemon, { webSocketOrigins });
    expect(daemon.listener.host.settings.current.webSocketOrigins).toBe(webSocketOrigins);
  },
  passwords: async (daemon) => {
    const auth = { allowed: ['PWORD'], required: [] } as const;
    const isIn = async (name: string, password: string): Promise<boolean> =>
      (await loginWith(daemon, name, 'PWORD', credentials(password))).isIn;
    change(daemon, { auth, passwords: passwordsOf('old') });
    expect([await isIn('a', 'old'), await isIn('b', 'new')]).toEqual([true, false]);
    change(daemon, { auth, passwords: passwordsOf('new') });
    expect([await isIn('c', 'old'), await isIn('d', 'new')]).toEqual([false, true]);
  },
  // The whole exchange: test/e2e/scram.test.ts.
  scram: async (daemon) => {
    const auth = { allowed: ['SCRAM-SHA-256'], required: [] } as const;
    const first = Buffer.from('?n,,n=user,r=nonce');
    first[0] = first.length - 1;
    const key = Buffer.alloc(32, 1).toString('base64');
    for (const iterations of [5000, 6000]) {
      const entry = { user: 'user', iterations, salt: SALT.toString('base64'), storedKey: key, serverKey: key };
      change(daemon, { auth, scram: { entries: new Map([['user', entry]]), secret: key } });
      const name = `c${iterations}`;
      const client = daemon.connect(name);
      client.transport.send(Buffer.concat([connectBytes(name, true), authChoice('SCRAM-SHA-256'), first]));
      daemon.settle();
      expect(client.take().toString('latin1')).toContain(`,i=${iterations}`);
    }
  },
  // Whole daemons: test/e2e/rate-limits.test.ts.
  rates: (daemon) => {
    const none = { sessions: 0, messages: 0, bytes: 0 };
    const client = daemon.login('client', undefined, { address: '10.0.0.1' });
    const send = (): void => {
      for (let i = 0; i < 20; i++) client.transport.send(client.message('room', Buffer.alloc(10)));
      daemon.settle();
    };
    send();
    expect(daemon.count('FramesReceived')).toBe(20);
    change(daemon, { rates: { user: none, address: { ...none, messages: 10 }, timeoutMs: 0 } });
    send();
    expect([daemon.count('FramesReceived'), daemon.count('SessionsHeld')]).toEqual([30, 1]);
    daemon.pass(500);
    expect(daemon.count('FramesReceived')).toBe(35);
    change(daemon, { rates: { user: none, address: none, timeoutMs: 0 } });
    daemon.pass(1);
    expect([daemon.count('FramesReceived'), daemon.count('SessionsHeld')]).toEqual([40, 0]);
  },
  // All of it: delivery-rights.test.ts.
  rights: (daemon) => {
    const client = daemon.login('client');
    client.join('a');
    daemon.settle();
    change(daemon, { rights: parseAccessFile('anyone join b', 'rules').rules });
    for (const group of ['b', 'c']) client.join(group);
    daemon.settle();
    expect([daemon.count('JoinsForbidden'), daemon.count('RequestsRejected')]).toEqual([1, 1]);
  },
};

it.each(Object.entries(PROOFS))('%s', async (_, prove) => {
  await prove(await MemoryDaemon.start());
});

it('are divided among the workers, except limits that apply to all of them together', () => {
  const all = {
    maxHandshakes: 10,
    maxWaitingPasswords: 7,
    maxInputBytes: 100,
    drainViewBytes: 30,
    maxQueuedBytes: 100,
  } as DeliverySettings;
  expect(shareOfWorker(all, 4)).toEqual({
    ...{ maxHandshakes: 3, maxWaitingPasswords: 2, maxInputBytes: 25, drainViewBytes: 8, maxQueuedBytes: 100 },
  });
});
