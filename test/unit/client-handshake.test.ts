import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type ConnectOptions, connect, type Session, SkeinError } from '../../client/index.ts';
import { loadCapture, splitCapture, withNotices } from './client-captures.ts';
import { FakeDaemon, type Peer, type Script, turn } from './client-fake-daemon.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function start(script: Script, path?: string): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.start(script, path);
  open.push({ close: () => daemon.stop() });
  return daemon;
}

async function connectTo(daemon: FakeDaemon, options: ConnectOptions = {}): Promise<Session> {
  const session = await Promise.race([connect({ address: daemon.address, name: 'alice', ...options }), daemon.failure]);
  open.push({
    close: async () => session.destroy(),
  });
  return session;
}

async function failure(daemon: FakeDaemon, options: ConnectOptions = {}): Promise<SkeinError> {
  const error: unknown = await connectTo(daemon, options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SkeinError);
  return error as SkeinError;
}

const signed = (value: number): Uint8Array => Uint8Array.of(value & 0xff);
const PRIVATE_NAME = '#alice#localhost';
const ACCEPT = Buffer.concat([Buffer.of(1, 4, 4, 0, PRIVATE_NAME.length), Buffer.from(PRIVATE_NAME)]);

describe('handshake', () => {
  it('sends the recorded bytes, one part at a time and never ahead of the daemon', async () => {
    const capture = splitCapture(loadCapture('01-connect-membership-quit'));
    const daemon = await start(async (peer) => {
      expect(await peer.read(capture.connect.length)).toEqual(withNotices(capture.connect));
      for (let i = 0; i < 20; i++) await turn();
      expect(peer.unread).toBe(0);
      peer.write(capture.authList);
      expect(await peer.read(90)).toEqual(capture.authChoice);
      for (let i = 0; i < 20; i++) await turn();
      expect(peer.unread).toBe(0);
      peer.write(capture.accept);
    });
    const session = await connectTo(daemon);
    expect(session.privateName).toBe(PRIVATE_NAME);
    expect(session.daemonVersion).toEqual({ major: 4, minor: 4, patch: 0 });
    expect(session.membership).toBe(true);
  });

  it.each<[string, ConnectOptions]>([
    ['02-connect-no-membership', { name: 'bob', membership: false, priority: 1 }],
    ['03-connect-random-name', { name: '' }],
  ])('sends the flags and name of capture %s', async (name, options) => {
    const capture = splitCapture(loadCapture(name));
    const daemon = await start(async (peer) => {
      expect(await peer.read(capture.connect.length)).toEqual(withNotices(capture.connect));
      peer.write(capture.authList);
      expect(await peer.read(90)).toEqual(capture.authChoice);
      peer.write(capture.accept);
    });
    const session = await connectTo(daemon, options);
    expect(session.privateName).toBe(capture.accept.subarray(5).toString());
  });

  it('reads replies that arrive in single bytes', async () => {
    const daemon = await start(async (peer) => {
      await peer.read(10);
      await peer.writeByteByByte(Buffer.from('\x08NULL IP '));
      await peer.read(90);
      await peer.writeByteByByte(ACCEPT);
    });
    expect((await connectTo(daemon)).privateName).toBe(PRIVATE_NAME);
  });

  it('keeps frames that arrive together with ACCEPT', async () => {
    const { daemonFrames } = splitCapture(loadCapture('10-private-send.alice'));
    const daemon = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x05NULL ');
      await peer.read(90);
      peer.write(Buffer.concat([ACCEPT, daemonFrames]));
    });
    const session = await connectTo(daemon);
    expect(await session.receive()).toMatchObject({ kind: 'message', sender: '#bob#localhost' });
  });

  it('works over a Unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'skein-'));
    open.push({ close: async () => rmSync(directory, { recursive: true }) });
    const daemon = await start((peer) => peer.accept().then(() => undefined), join(directory, '4999'));
    const session = await connectTo(daemon, { address: '4999', socketDirectory: directory });
    expect(session.privateName).toBe(PRIVATE_NAME);
  });

  it.each([
    [-3, 'REJECT_QUOTA'],
    [-4, 'REJECT_NO_NAME'],
    [-5, 'REJECT_ILLEGAL_NAME'],
    [-7, 'REJECT_VERSION'],
    [-9, 'REJECT_AUTH'],
    [-77, 'CONNECTION_CLOSED'],
  ])('reports reject code %i in place of the method list, and in place of ACCEPT', async (code, name) => {
    const early = await start(async (peer) => {
      await peer.read(10);
      peer.socket.end(signed(code));
    });
    expect((await failure(early)).code).toBe(name);
    const late = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x05NULL ');
      await peer.read(90);
      peer.socket.end(signed(code));
    });
    expect((await failure(late)).code).toBe(name);
  });

  it('does not choose a method the daemon does not offer', async () => {
    const daemon = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x05NULL ');
      expect(await peer.readToEnd()).toHaveLength(0);
    });
    const error = await failure(daemon, { auth: 'IP' });
    expect(error.code).toBe('REJECT_AUTH');
    expect(error.message).toContain('"IP"');
    expect(error.message).toContain('NULL');
  });

  it('chooses several methods, each in its field, and runs their exchanges in order', async () => {
    const daemon = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x0aNULL A BC ');
      const choice = await peer.read(90);
      expect(choice.subarray(0, 30).toString()).toBe(`BC${'\0'.repeat(28)}`);
      expect(choice.subarray(30).toString()).toBe(`A${'\0'.repeat(59)}`);
      expect((await peer.read(2)).toString()).toBe('hi');
      peer.write('who');
      expect((await peer.read(2)).toString()).toBe('me');
      peer.write(ACCEPT);
    });
    let heard = '';
    await connectTo(daemon, {
      auth: [
        {
          name: 'BC',
          async exchange(channel) {
            channel.write(Buffer.from('hi'));
            heard = Buffer.from(await channel.read(3)).toString();
            channel.write(Buffer.from('me'));
          },
        },
        { name: 'A' },
      ],
    });
    expect(heard).toBe('who');
  });

  describe('with a password', () => {
    const script =
      (verdict: number): Script =>
      async (peer: Peer) => {
        await peer.read(10);
        peer.write('\x06PWORD ');
        await peer.read(90);
        const fields = await peer.read(40);
        expect(fields.subarray(0, 32).toString()).toBe(`tom${'\0'.repeat(29)}`);
        expect(fields.subarray(32).toString()).toBe('12345678');
        peer.write(Uint8Array.of(verdict));
        if (verdict === 1) peer.write(ACCEPT);
        else peer.socket.end(signed(-9));
      };

    it('sends both fields and waits for both answers', async () => {
      const session = await connectTo(await start(script(1)), {
        auth: { user: 'tom', password: '12345678', methods: ['PWORD'] },
      });
      expect(session.privateName).toBe(PRIVATE_NAME);
    });

    it('reports a refusal without the password', async () => {
      const error = await failure(await start(script(0)), {
        auth: { user: 'tom', password: '12345678', methods: ['PWORD'] },
      });
      expect(error.code).toBe('REJECT_AUTH');
      expect(error.message).not.toContain('12345678');
    });
  });

  it.each([
    ['before the method list', 0],
    ['in the middle of the method list', 3],
    ['before ACCEPT', 6],
    ['in the middle of ACCEPT', 6 + 7],
  ])('reports a daemon that hangs up %s', async (_, length) => {
    const reply = Buffer.concat([Buffer.from('\x05NULL '), ACCEPT]);
    const daemon = await start(async (peer) => {
      await peer.read(10);
      if (length > 6) {
        peer.write(reply.subarray(0, 6));
        await peer.read(90);
        peer.socket.end(reply.subarray(6, length));
      } else peer.socket.end(reply.subarray(0, length));
    });
    expect((await failure(daemon)).code).toBe('CONNECTION_CLOSED');
  });

  it.each([
    ['a version before 3.1', [1, 3, 0, 9], 0, 'REJECT_VERSION'],
    ['a version before 3.8 with priority 1', [1, 3, 7, 0], 1, 'REJECT_VERSION'],
  ] as const)('refuses %s', async (_, head, priority, code) => {
    const daemon = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x05NULL ');
      await peer.read(90);
      peer.write(Buffer.concat([Buffer.from(head), ACCEPT.subarray(4)]));
    });
    expect((await failure(daemon, { priority })).code).toBe(code);
  });

  it('refuses a private name of the wrong form and a method list of more than 90 bytes', async () => {
    const badName = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x05NULL ');
      await peer.read(90);
      peer.write('\x01\x04\x04\x00\x03#ab');
    });
    expect((await failure(badName)).code).toBe('CONNECTION_CLOSED');
    const longList = await start(async (peer) => {
      await peer.read(10);
      peer.write('\x5b');
    });
    expect((await failure(longList)).code).toBe('CONNECTION_CLOSED');
  });
});

describe('connecting', () => {
  const refuse: Script = async (peer) => {
    await peer.read(10);
    peer.socket.end(signed(-6));
  };

  it('retries a name in use as often as configured', async () => {
    const daemon = await start((peer, connection) =>
      connection < 2 ? refuse(peer, connection) : peer.accept().then(),
    );
    await connectTo(daemon, { retryNameInUse: { attempts: 3, delayMs: 1 } });
    expect(daemon.connections).toBe(3);
    const stubborn = await start(refuse);
    const error = await failure(stubborn, { retryNameInUse: { attempts: 2, delayMs: 1 } });
    expect(error.code).toBe('REJECT_NOT_UNIQUE');
    expect(error.message).toContain('"alice"');
    expect(stubborn.connections).toBe(2);
  });

  it('gives up after connectTimeoutMs', async () => {
    const daemon = await start(async (peer) => {
      await peer.readToEnd();
    });
    const error = await failure(daemon, { connectTimeoutMs: 30 });
    expect(error.code).toBe('COULD_NOT_CONNECT');
    expect(error.message).toContain('30');
  });

  it('stops when aborted, before and in the middle', async () => {
    const reason = new Error('enough');
    const daemon = await start(async (peer) => {
      await peer.readToEnd();
    });
    await expect(connectTo(daemon, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(daemon.connections).toBe(0);
    const controller = new AbortController();
    const connecting = connectTo(daemon, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(connecting).rejects.toBe(reason);
  });

  it('stops when aborted between two attempts', async () => {
    const reason = new Error('enough');
    const daemon = await start(refuse);
    const controller = new AbortController();
    const connecting = connectTo(daemon, {
      signal: controller.signal,
      retryNameInUse: { attempts: 2, delayMs: 1_000_000 },
    });
    while (daemon.connections === 0) await turn();
    setTimeout(() => controller.abort(reason), 20);
    await expect(connecting).rejects.toBe(reason);
    expect(daemon.connections).toBe(1);
  });

  it('reports a port where nobody listens and a host that does not exist', async () => {
    const daemon = await FakeDaemon.start(async () => undefined);
    await daemon.stop();
    expect((await failure(daemon)).code).toBe('COULD_NOT_CONNECT');
    expect((await failure(daemon, { address: 'http://nowhere' })).code).toBe('ILLEGAL_SPREAD');
    expect((await failure(daemon, { address: { path: '/nowhere/4803' } })).code).toBe('COULD_NOT_CONNECT');
    expect((await failure(daemon, { address: '4803@no such host' })).code).toBe('ILLEGAL_SPREAD');
  });
});
