/** Clients over TLS: which ones are let in, and that everything works as over the plain port. */

import { cpSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, createServer } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ConnectOptions, connect, type Message, type Service, type Session } from '../../client/index.ts';
import type { Daemon, StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { Authority } from './support/certificates.ts';
import { deliveryCount, eventually, testDaemon } from './support/daemons.ts';
import { authChoice, connectBytes } from './support/wire-client.ts';

const authority = new Authority();
const stranger = new Authority('Stranger');
const own = authority.issue('daemon');
const alice = authority.issue('alice');
const mallory = stranger.issue('mallory');
afterAll(() => {
  authority.remove();
  stranger.remove();
});

const FILES: StartDaemonOptions = {
  tlsListen: '127.0.0.1:0',
  tlsCertificateFile: own.certFile,
  tlsKeyFile: own.keyFile,
};
const ASKING: StartDaemonOptions = { ...FILES, tlsAuthorityFile: authority.caFile };
const TRUST = { ca: authority.ca };

const tlsPort = (daemon: Daemon): number => daemon.addresses.find(({ tls }) => tls === true)!.port!;

async function client(daemon: Daemon, options: ConnectOptions = {}): Promise<Session> {
  return keepMessages(await connect({ address: `tls://127.0.0.1:${tlsPort(daemon)}`, tls: TRUST, ...options }));
}

async function plainClient(daemon: Daemon): Promise<Session> {
  return keepMessages(await connect({ host: '127.0.0.1', port: daemon.port! }));
}

const received = new WeakMap<Session, Message[]>();

/** Keeps received messages until a test takes them. */
function keepMessages(session: Session): Session {
  const kept: Message[] = [];
  received.set(session, kept);
  session.on('message', (message) => kept.push({ ...message, data: Buffer.from(message.data) }));
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

/** The next `count` messages, without views. */
async function messages(session: Session, count: number): Promise<readonly Message[]> {
  const kept = received.get(session)!;
  await eventually(
    () => kept.length >= count,
    () => `${count} messages, ${kept.length} are here`,
  );
  return kept.splice(0, count);
}

const SERVICES: readonly Service[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];

describe('messages', () => {
  it.each(SERVICES)('of the service %s pass between encrypted and plain clients', async (service) => {
    const daemon = await testDaemon(FILES);
    const [secret, open] = [await client(daemon), await plainClient(daemon)];
    await secret.join('room');
    await open.join('room');
    open.multicast('room', 'from the plain port', { service });
    expect((await messages(secret, 1))[0]).toMatchObject({ service, groups: ['room'] });
    expect(String((await messages(open, 1))[0]!.data)).toBe('from the plain port');
    secret.multicast('room', 'encrypted', { service });
    expect(String((await messages(open, 1))[0]!.data)).toBe('encrypted');
  });

  it.each([0, 1, 16_383, 16_384, 16_385, 140_000])('of %i bytes arrive as they were sent', async (length) => {
    const daemon = await testDaemon(FILES);
    const session = await client(daemon);
    const data = Buffer.alloc(length, 'skein over TLS ');
    session.multicast(session.privateName, data);
    const [message] = await messages(session, 1);
    expect(Buffer.compare(Buffer.from(message!.data), data)).toBe(0);
  });

  it('in a stream longer than all buffers arrive whole and in order, although the reader pauses', async () => {
    const daemon = await testDaemon(FILES);
    const reader = await client(daemon, { receiveQueueBytes: 64 * 1024 });
    const sender = await client(daemon);
    await reader.join('stream');
    const count = 1500;
    for (let i = 0; i < count; i++) {
      const data = Buffer.alloc(10_000);
      data.writeUInt32BE(i);
      if (!sender.multicast('stream', data)) await sender.drained();
    }
    const got = await messages(reader, count);
    expect(got.map(({ data }) => Buffer.from(data).readUInt32BE())).toEqual(Array.from({ length: count }, (_, i) => i));
  }, 60_000);
});

describe('the identity of the peer', () => {
  it('of a daemon is verified by authority and by name', async () => {
    const daemon = await testDaemon(FILES);
    await expect(client(daemon, { tls: {} })).rejects.toMatchObject({ code: 'COULD_NOT_CONNECT' });
    await expect(client(daemon, { tls: { ca: stranger.ca } })).rejects.toMatchObject({ code: 'COULD_NOT_CONNECT' });
    const other = { ...TRUST, servername: 'elsewhere.example' };
    await expect(client(daemon, { tls: other })).rejects.toThrow(/elsewhere\.example/);
    await client(daemon, { tls: { ...TRUST, servername: 'localhost' } });
    await client(daemon, { tls: { rejectUnauthorized: false } });
  });

  it.each([
    ['none', undefined, true],
    ['none', alice, true],
    ['optional', undefined, true],
    ['optional', alice, true],
    ['optional', mallory, false],
    ['required', undefined, false],
    ['required', alice, true],
    ['required', mallory, false],
  ] as const)('mode %s', async (mode, certificate, isLetIn) => {
    const daemon = await testDaemon({ ...ASKING, tlsClientCertificate: mode });
    const tls = certificate === undefined ? TRUST : { ...TRUST, cert: certificate.cert, key: certificate.key };
    const login = client(daemon, { tls });
    if (isLetIn) await login;
    else {
      await expect(login).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION_CLOSED|COULD_NOT_CONNECT/) });
      await eventually(() => deliveryCount(daemon, 'TlsHandshakesFailed') === 1, 'the refusal to be counted');
    }
    await eventually(() => deliveryCount(daemon, 'TlsHandshakesDone') === (isLetIn ? 1 : 0), 'the handshake');
  });

  it('is accepted only over TLS 1.2 or later', async () => {
    const daemon = await testDaemon(FILES);
    const versionOf = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
      const socket = rawTls(tlsPort(daemon), {
        minVersion: version,
        maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      return await new Promise<string | null>((resolve) => {
        socket.once('secureConnect', () => resolve(socket.getProtocol()));
        socket.once('error', () => resolve(null));
      });
    };
    expect([await versionOf('TLSv1.1'), await versionOf('TLSv1.2'), await versionOf('TLSv1.3')]).toEqual([
      null,
      'TLSv1.2',
      'TLSv1.3',
    ]);
  });

  it('is refused when it speaks clear text: only that connection ends', async () => {
    const daemon = await testDaemon(FILES);
    const socket = connectPlain(tlsPort(daemon), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(connectBytes('plain', true));
    await new Promise((resolve) => socket.once('close', resolve));
    await eventually(() => deliveryCount(daemon, 'TlsHandshakesFailed') === 1, 'the refusal to be counted');
    await client(daemon);
  });
});

describe('handshakes of TLS', () => {
  it('that do not finish in time are ended and counted', async () => {
    const daemon = await testDaemon({ ...FILES, handshakeTimeout: 100 });
    const socket = connectPlain(tlsPort(daemon), '127.0.0.1');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
    expect(deliveryCount(daemon, 'TlsHandshakesTimedOut')).toBe(1);
    await eventually(() => deliveryCount(daemon, 'TlsHandshakesOpen') === 0, 'none to be open');
  });

  it('beyond MaxHandshakes end the oldest', async () => {
    const daemon = await testDaemon({ ...FILES, maxHandshakes: 3, deliveryWorkers: 1 });
    const sockets = Array.from({ length: 4 }, () => connectPlain(tlsPort(daemon), '127.0.0.1'));
    let closed = 0;
    for (const socket of sockets) socket.on('error', () => {}).on('close', () => closed++);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await eventually(() => closed === 1, 'one to be ended');
    expect([deliveryCount(daemon, 'TlsHandshakesCrowdedOut'), deliveryCount(daemon, 'TlsHandshakesOpen')]).toEqual([
      1, 3,
    ]);
  });
});

describe('ends', () => {
  it('of the client are announced to others, with and without close_notify', async () => {
    const daemon = await testDaemon(FILES);
    const watcher = await plainClient(daemon);
    await watcher.join('room');
    for (const end of [(socket: TLSSocket) => socket.end(), (socket: TLSSocket) => socket.destroy()]) {
      const socket = await rawLogin(daemon);
      const sessions = deliveryCount(daemon, 'SessionsOpen');
      end(socket);
      await eventually(() => deliveryCount(daemon, 'SessionsClosed') > 0 || sessions === 0, 'the session to end');
    }
    await eventually(() => deliveryCount(daemon, 'SessionsClosed') === 2, 'both sessions to end');
  });

  it('of a slow reader follow the policy and do not affect others', async () => {
    const daemon = await testDaemon({ ...FILES, maxSessionBytes: '256K' });
    const slow = await rawLogin(daemon);
    slow.pause();
    const sender = await client(daemon);
    await sender.join('busy');
    const target = '#slow#localhost';
    for (let i = 0; i < 400; i++) if (!sender.multicast(target, Buffer.alloc(50_000))) await sender.drained();
    await eventually(() => deliveryCount(daemon, 'SlowConsumersEnded') === 1, 'the slow reader to be ended');
    sender.multicast(sender.privateName, 'still here');
    expect(String((await messages(sender, 1))[0]!.data)).toBe('still here');
  }, 60_000);

  it('of the daemon reach the client after its last message', async () => {
    const daemon = await testDaemon(FILES);
    const session = await client(daemon);
    await session.join('room');
    session.multicast('room', 'the last');
    expect(String((await messages(session, 1))[0]!.data)).toBe('the last');
    const ended = new Promise((resolve) => session.once('error', resolve));
    await daemon.stop();
    expect(await ended).toMatchObject({ code: 'CONNECTION_CLOSED' });
  });
});

it.each(['certificate', 'user'])(
  'gives the common name of a certificate the rights of a line for "%s"',
  async (who) => {
    const accessFile = `${authority.folder}/rights-${who}`;
    writeFileSync(accessFile, `${who} alice  join room  send room  private *\n`);
    const daemon = await testDaemon({ ...ASKING, tlsClientCertificate: 'optional', accessFile });
    const named = await client(daemon, { tls: { ...TRUST, cert: alice.cert, key: alice.key } });
    await named.join('room');
    await expect(named.join('other')).rejects.toMatchObject({ code: 'REJECT_AUTH' });
    const nameless = await client(daemon);
    await expect(nameless.join('room')).rejects.toMatchObject({ code: 'REJECT_AUTH' });
  },
);

it('takes a new certificate and key at a reload, for connections from then on', async () => {
  const [certFile, keyFile] = [`${authority.folder}/live.crt`, `${authority.folder}/live.key`];
  const put = (issued: typeof own): void => {
    cpSync(issued.certFile, certFile);
    cpSync(issued.keyFile, keyFile);
  };
  put(own);
  const daemon = await testDaemon({ ...FILES, tlsCertificateFile: certFile, tlsKeyFile: keyFile });
  const before = await client(daemon);
  put(mallory);
  expect((await daemon.reload()).changed.map(({ option }) => option)).toEqual(['TlsCertificateFile', 'TlsKeyFile']);
  await client(daemon, { tls: { ca: stranger.ca } });
  await expect(client(daemon)).rejects.toMatchObject({ code: 'COULD_NOT_CONNECT' });
  before.multicast(before.privateName, 'old sessions stay');
  expect(String((await messages(before, 1))[0]!.data)).toBe('old sessions stay');
});

it('refuses options of connect that exclude each other', async () => {
  const address = 'tls://127.0.0.1:4804';
  const cases: readonly (readonly [ConnectOptions, RegExp])[] = [
    [{ address: 'tls://127.0.0.1' }, /needs a port/],
    [{ tls: true }, /give the daemon's address/],
    [{ path: '/tmp/4803', tls: true }, /Unix socket/],
    [{ address, tls: false }, /tls is false/],
    [{ address, tls: { cert: alice.cert } }, /tls\.cert is given without tls\.key/],
    [{ address, tls: { key: alice.key } }, /tls\.key is given without tls\.cert/],
    [{ address, tls: { ca: '/etc/ca.crt' } }, /tls\.ca of type string: must be the text or bytes of a PEM file/],
    [{ address, tls: { servername: '127.0.0.1' } }, /tls\.servername/],
    [{ address, tls: { rejectUnauthorized: 0 as never } }, /tls\.rejectUnauthorized/],
    [{ address, tls: { certs: 1 } as never }, /certs/],
  ];
  for (const [options, message] of cases) await expect(connect(options), String(message)).rejects.toThrow(message);
});

it('names the address that is in use', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { readonly port: number };
  await expect(testDaemon({ ...FILES, tlsListen: `127.0.0.1:${port}` })).rejects.toThrow(`127.0.0.1:${port}`);
});

function rawTls(port: number, options: ConnectionOptions = {}): TLSSocket {
  const socket = connectTls({ port, host: '127.0.0.1', ca: authority.ca, ...options });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** A session whose bytes the test chooses. */
async function rawLogin(daemon: Daemon): Promise<TLSSocket> {
  const socket = rawTls(tlsPort(daemon));
  const sessions = deliveryCount(daemon, 'SessionsOpen');
  socket.write(Buffer.concat([connectBytes('slow', true), authChoice('NULL')]));
  await eventually(() => deliveryCount(daemon, 'SessionsOpen') > sessions, 'the session to open');
  return socket;
}
