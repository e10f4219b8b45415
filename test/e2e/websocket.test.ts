/** Clients over WebSockets: what they receive, which ones are refused and why, and that none can harm others. */
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, type Session } from '../../client/index.ts';
import { type Daemon, type StartDaemonOptions, startDaemon } from '../../daemon/start-daemon.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import { Authority, type Issued } from './support/certificates.ts';
import { deliveryCount, eventually, testDaemon } from './support/daemons.ts';
import { openWebSocket, webSocketBridge } from './support/websockets.ts';

const authority = new Authority();
const own = authority.issue('daemon');
const alice = authority.issue('alice');
afterAll(() => authority.remove());
const TLS_FILES: StartDaemonOptions = { tlsCertificateFile: own.certFile, tlsKeyFile: own.keyFile };
const TRUST = { ca: authority.ca };

const LISTEN: Readonly<Record<'ws' | 'wss', StartDaemonOptions>> = {
  ws: { webSocketListen: '127.0.0.1:0' },
  wss: { webSocketTlsListen: '127.0.0.1:0', ...TLS_FILES },
};

const textOf = async (socket: Socket): Promise<string> => String(((await once(socket, 'data')) as [Buffer])[0]);

async function session(port: number, name: string): Promise<Session> {
  const opened = await connect({ port, host: '127.0.0.1', name });
  onTestFinished(() => opened.close());
  return opened;
}

/** The next messages of a session, as text. */
async function texts(receiver: Session, count: number): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const event of receiver) {
    if (event.kind === 'message') found.push(Buffer.from(event.data).toString());
    if (found.length === count) break;
  }
  return found;
}

/** The first bytes of a client: version 5.0.1, no group membership, priority, and its name. */
const GREETING = Buffer.concat([Buffer.from([5, 0, 1, 0x10, 3]), Buffer.from('web')]);

describe.each(['ws', 'wss'] as const)('a daemon that serves %s:', (scheme) => {
  async function webDaemon(
    options: StartDaemonOptions = {},
  ): Promise<{ readonly daemon: Daemon; readonly url: string }> {
    const daemon = await testDaemon({ ...LISTEN[scheme], ...options });
    const [url = ''] = daemon.webSocketUrls;
    expect(url).toMatch(new RegExp(`^${scheme}://127\\.0\\.0\\.1:\\d+/$`));
    return { daemon, url };
  }

  /** `openWebSocket`, trusting the daemon. */
  const open = (url: string, headers: Readonly<Record<string, string>> = {}) => openWebSocket(url, headers, TRUST);
  const bridge = (url: string, frameBytes: number) => webSocketBridge(url, frameBytes, TRUST);

  /** A connection to the port without a request. */
  async function rawConnection(url: string): Promise<Socket> {
    const { hostname, port } = new URL(url);
    const socket =
      scheme === 'ws'
        ? connectTcp(Number(port), hostname)
        : connectTls({ host: hostname, port: Number(port), ...TRUST });
    socket.on('error', () => {});
    await once(socket, scheme === 'ws' ? 'connect' : 'secureConnect');
    return socket;
  }

  it.each([1, 7, 60_000])('carries the protocol in messages of any size: %d bytes', async (frameBytes) => {
    const { daemon, url } = await webDaemon({ deliveryWorkers: 2, threadingMode: 'shared-network' });
    const web = await session(await bridge(url, frameBytes), 'web');
    const plain = await session(daemon.port!, 'plain');
    await web.join('both');
    await plain.join('both');
    const large = 'x'.repeat(frameBytes === 1 ? 3000 : 100_000);
    await web.multicast('both', large);
    await plain.multicast('both', 'from TCP');
    await web.multicast('both', 'last');
    const [atWeb, atPlain] = await Promise.all([texts(web, 3), texts(plain, 3)]);
    expect(atWeb).toEqual(atPlain);
    expect([...atWeb].sort()).toEqual(['from TCP', 'last', large]);
  });

  it('takes everything that was sent before a Close', async () => {
    const { daemon, url } = await webDaemon();
    const plain = await session(daemon.port!, 'plain');
    await plain.join('all');
    const web = await session(await bridge(url, 1000), 'web');
    const count = 2000;
    for (let i = 0; i < count; i++) void web.multicast('all', String(i));
    await web.flushed();
    await web.close();
    expect(await texts(plain, count)).toEqual(Array.from({ length: count }, (_, i) => String(i)));
  });

  it('refuses text with 1003 and logs it', async () => {
    const { daemon, url } = await webDaemon();
    const client = await open(url);
    client.socket.send('text');
    expect(await client.closed).toEqual({ code: 1003, reason: 'text is refused: the protocol is binary' });
    await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 1, 'it is counted');
  });

  it('refuses what is longer than 64 KiB with 1009, and a frame without a mask with 1002', async () => {
    const { daemon, url } = await webDaemon();
    const long = await open(url);
    long.socket.send(Buffer.alloc(64 * 1024 + 1));
    expect((await long.closed).code).toBe(1009);
    const bare = await open(url);
    (bare.socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(
      Buffer.from([0x82, 1, 0]),
    );
    expect((await bare.closed).code).toBe(1002);
    await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 2, 'both refused');
  });

  it('never compresses', async () => {
    const { url } = await webDaemon();
    const { socket } = await open(url);
    expect(socket.extensions).toBe('');
  });

  it('answers pings', async () => {
    const { url } = await webDaemon();
    const { socket } = await open(url);
    const pong = new Promise<string>((resolve) => socket.once('pong', (data) => resolve(data.toString())));
    socket.ping('are you there');
    expect(await pong).toBe('are you there');
  });

  it('answers other requests with the purpose of the port', async () => {
    const { daemon, url } = await webDaemon();
    const asked = await rawConnection(url);
    asked.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await textOf(asked)).toMatch(/^HTTP\/1\.1 426 /);
    const raw = await rawConnection(url);
    raw.write('not HTTP\r\n\r\n');
    expect(await textOf(raw)).toMatch(/^HTTP\/1\.1 400 /);
    raw.destroy();
    asked.destroy();
    await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 2, 'both counted');
  });

  const LOCAL = (port: string) => `http://127.0.0.1:${port}`;
  it.each<[string, string | undefined, string | undefined, string | undefined, boolean]>([
    ['a program', undefined, undefined, undefined, true],
    ['a page of the same host', undefined, LOCAL('8080'), undefined, true],
    ['a page of localhost', undefined, 'http://localhost:3000', 'localhost:4884', true],
    ['a page of another host', undefined, 'https://evil.example', undefined, false],
    ['a page without an origin', undefined, 'null', undefined, false],
    ["a stranger's name for this machine", undefined, 'http://evil.example', 'evil.example:4884', false],
    ['a page on the list', 'https://app.example', 'https://app.example:443', undefined, true],
    [
      'a page on another port than that on the list',
      'https://app.example',
      'https://app.example:8443',
      undefined,
      false,
    ],
    ['a page of this host beside a list', 'https://app.example', LOCAL('80'), undefined, false],
    ['any page where all are allowed', '*', 'https://evil.example', undefined, true],
  ])('judges %s', async (_, origins, origin, host, isAllowed) => {
    const { daemon, url } = await webDaemon(origins === undefined ? {} : { webSocketOrigins: origins });
    const headers = { ...(origin === undefined ? {} : { origin }), ...(host === undefined ? {} : { host }) };
    const opened = open(url, headers);
    if (isAllowed) await opened;
    else {
      await expect(opened).rejects.toThrow(/^403 Origin .*WebSocketOrigins/);
      await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 1, 'it is counted');
    }
  });

  it('counts a request that never ends as a handshake, and ends it', async () => {
    const { daemon, url } = await webDaemon({ handshakeTimeout: 200 });
    const raw = await rawConnection(url);
    raw.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    await eventually(() => deliveryCount(daemon, 'HandshakesOpen') === 1, 'it is counted');
    await new Promise((resolve) => raw.once('close', resolve));
    expect(deliveryCount(daemon, 'HandshakesTimedOut')).toBe(1);
    expect(deliveryCount(daemon, 'HandshakesOpen')).toBe(0);
  });

  it('gives the reason of a refusal to a client that sends its request later', async () => {
    const { daemon, url } = await webDaemon({ maxSessions: 1 });
    await session(daemon.port!, 'only');
    const client = await open(url);
    expect((await client.closed).code).toBe(1000);
    expect([...client.bytes()]).toEqual([RESULT_CODES.REJECT_QUOTA & 0xff]);
  });

  it('ends a client that answers no ping within ClientTimeout, and keeps one that does', async () => {
    const { daemon, url } = await webDaemon({ clientTimeout: 1000 });
    await session(await bridge(url, 1000), 'lively');
    const dead = await open(url);
    dead.socket.send(GREETING);
    // This client's process is paused, so no pong is sent.
    (dead.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    await eventually(
      () => deliveryCount(daemon, 'SessionsOpen') + deliveryCount(daemon, 'HandshakesOpen') === 1,
      'one',
    );
    expect(deliveryCount(daemon, 'SessionsOpen')).toBe(1);
  });

  it('ends a slow consumer by the same limits as other sessions', async () => {
    const { daemon, url } = await webDaemon({ maxSessionMessages: 50, maxSessionBytes: 4 * 1024 * 1024 });
    const slow = await session(await bridge(url, 1000), 'slow');
    await slow.join('flood');
    slow.pause();
    const plain = await session(daemon.port!, 'plain');
    const data = Buffer.alloc(100_000);
    await eventually(async () => {
      await plain.multicast('flood', data);
      return deliveryCount(daemon, 'SlowConsumersEnded') === 1;
    }, 'the slow consumer ends');
  });

  it('closes with 1001 after the last delivery when it stops', async () => {
    const daemon = await startDaemon({
      port: 0,
      logLevel: 'silent',
      unixSocketDir: null,
      ...LISTEN[scheme],
    });
    const client = await open(daemon.webSocketUrls[0]!);
    client.socket.send(GREETING);
    await eventually(() => client.bytes().length > 0, 'the methods');
    client.socket.send(Buffer.concat([Buffer.from('NULL'), Buffer.alloc(86)]));
    await eventually(() => deliveryCount(daemon, 'SessionsOpen') === 1, 'the session');
    await daemon.stop();
    expect(await client.closed).toEqual({ code: 1001, reason: 'the daemon stops' });
  });
});

describe('WebSockets over TLS', () => {
  const ASKING = { ...LISTEN.wss, tlsAuthorityFile: authority.caFile };

  it('have the user of their certificate, with its rights', async () => {
    const accessFile = join(authority.folder, 'access');
    writeFileSync(accessFile, 'certificate alice join web.* send web.*\nuser alice join user.*\n');
    const daemon = await testDaemon({ ...ASKING, tlsClientCertificate: 'optional', accessFile });
    const url = daemon.webSocketUrls[0]!;
    const known = await session(await webSocketBridge(url, 1000, { ...TRUST, ...pairOf(alice) }), 'known');
    for (const group of ['web.a', 'user.a']) await known.join(group);
    await expect(known.join('other')).rejects.toMatchObject({ code: 'REJECT_AUTH' });
    const unknown = await session(await webSocketBridge(url, 1000, TRUST), 'unknown');
    await expect(unknown.join('web.a')).rejects.toMatchObject({ code: 'REJECT_AUTH' });
  });

  it('need a certificate where clients must show one', async () => {
    const daemon = await testDaemon({ ...ASKING, tlsClientCertificate: 'required' });
    const url = daemon.webSocketUrls[0]!;
    await expect(openWebSocket(url, {}, TRUST)).rejects.toThrow();
    await openWebSocket(url, {}, { ...TRUST, ...pairOf(alice) });
    await eventually(() => deliveryCount(daemon, 'TlsHandshakesFailed') === 1, 'the refusal to be counted');
  });

  it('refuse connections that are not encrypted', async () => {
    const daemon = await testDaemon(LISTEN.wss);
    await expect(openWebSocket(daemon.webSocketUrls[0]!.replace('wss:', 'ws:'))).rejects.toThrow();
    await eventually(() => deliveryCount(daemon, 'TlsHandshakesFailed') === 1, 'the refusal to be counted');
  });

  it('get a new certificate at a reload, and open connections stay', async () => {
    const file = join(authority.folder, 'reload.conf');
    const first = authority.issue('first');
    const second = authority.issue('second');
    const files = { cert: join(authority.folder, 'live.crt'), key: join(authority.folder, 'live.key') };
    const use = ({ certFile, keyFile }: Issued): void => {
      cpSync(certFile, files.cert);
      cpSync(keyFile, files.key);
    };
    use(first);
    const text = (origins: string): string =>
      `Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nWebSocketTlsListen = 127.0.0.1:0\nWebSocketOrigins = ${origins}\n` +
      `TlsCertificateFile = ${files.cert}\nTlsKeyFile = ${files.key}\n`;
    writeFileSync(file, text('https://a.example'));
    const daemon = await testDaemon({ configFile: file });
    const url = daemon.webSocketUrls[0]!;
    const certificateOf = async (): Promise<string> => {
      const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(url).port), ...TRUST });
      await once(socket, 'secureConnect');
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    const web = await session(await webSocketBridge(url, 1000, TRUST), 'web');
    await web.join('room');
    expect(await certificateOf()).toBe('first');
    const page = { origin: 'https://b.example' };
    await expect(openWebSocket(url, page, TRUST)).rejects.toThrow(/^403/);
    use(second);
    writeFileSync(file, text('https://b.example'));
    const { changed } = await daemon.reload();
    expect(changed.map(({ option }) => option)).toEqual(['WebSocketOrigins', 'TlsCertificateFile', 'TlsKeyFile']);
    await eventually(async () => (await certificateOf()) === 'second', 'the new certificate');
    await openWebSocket(url, page, TRUST);
    web.multicast('room', 'still here');
    expect(await texts(web, 1)).toEqual(['still here']);
  });
});

const pairOf = ({ cert, key }: Issued) => ({ cert, key });
