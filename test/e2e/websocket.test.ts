/** Clients over WebSockets: what they get, who is turned away and told why, and what none of them can cost. */
import { connect as connectTcp } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, type Session } from '../../client/index.ts';
import { type Daemon, type StartDaemonOptions, startDaemon } from '../../daemon/start-daemon.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import { deliveryCount, eventually, testDaemon } from './support/daemons.ts';
import { get } from './support/http.ts';
import { openWebSocket, webSocketBridge } from './support/websockets.ts';

async function webDaemon(options: StartDaemonOptions = {}): Promise<{ readonly daemon: Daemon; readonly url: string }> {
  const daemon = await testDaemon({ webSocketListen: '127.0.0.1:0', ...options });
  return { daemon, url: daemon.webSocketUrls[0]! };
}

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

/** What a client of the protocol sends first: version 5.0.1, no group membership, priority, and its name. */
const GREETING = Buffer.concat([Buffer.from([5, 0, 1, 0x10, 3]), Buffer.from('web')]);

describe('a daemon with WebSocketListen', () => {
  it.each([1, 7, 60_000])('carries the protocol in messages of any size: %d bytes', async (frameBytes) => {
    const { daemon, url } = await webDaemon({ deliveryWorkers: 2, threadingMode: 'shared-network' });
    const web = await session(await webSocketBridge(url, frameBytes), 'web');
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
    const web = await session(await webSocketBridge(url, 1000), 'web');
    const count = 2000;
    for (let i = 0; i < count; i++) void web.multicast('all', String(i));
    await web.flushed();
    await web.close();
    expect(await texts(plain, count)).toEqual(Array.from({ length: count }, (_, i) => String(i)));
  });

  it('refuses text with 1003 and says so', async () => {
    const { daemon, url } = await webDaemon();
    const client = await openWebSocket(url);
    client.socket.send('text');
    expect(await client.closed).toEqual({ code: 1003, reason: 'text is refused: the protocol is binary' });
    await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 1, 'it is counted');
  });

  it('refuses what is longer than 64 KiB with 1009, and a frame without a mask with 1002', async () => {
    const { daemon, url } = await webDaemon();
    const long = await openWebSocket(url);
    long.socket.send(Buffer.alloc(64 * 1024 + 1));
    expect((await long.closed).code).toBe(1009);
    const bare = await openWebSocket(url);
    (bare.socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(
      Buffer.from([0x82, 1, 0]),
    );
    expect((await bare.closed).code).toBe(1002);
    await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 2, 'both refused');
  });

  it('never compresses', async () => {
    const { url } = await webDaemon();
    const { socket } = await openWebSocket(url);
    expect(socket.extensions).toBe('');
  });

  it('answers pings', async () => {
    const { url } = await webDaemon();
    const { socket } = await openWebSocket(url);
    const pong = new Promise<string>((resolve) => socket.once('pong', (data) => resolve(data.toString())));
    socket.ping('are you there');
    expect(await pong).toBe('are you there');
  });

  it('answers other requests with what the port is for', async () => {
    const { daemon, url } = await webDaemon();
    expect((await get(new URL(url.replace('ws:', 'http:')))).status).toBe(426);
    const raw = connectTcp(Number(new URL(url).port), '127.0.0.1');
    raw.write('not HTTP\r\n\r\n');
    const answer = await new Promise<string>((resolve) => raw.once('data', (data) => resolve(data.toString())));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    raw.destroy();
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
    const opened = openWebSocket(url, headers);
    if (isAllowed) await opened;
    else {
      await expect(opened).rejects.toThrow(/^403 Origin .*WebSocketOrigins/);
      await eventually(() => deliveryCount(daemon, 'HandshakesRefused') === 1, 'it is counted');
    }
  });

  it('counts a request that never ends as a handshake, and cuts it', async () => {
    const { daemon, url } = await webDaemon({ handshakeTimeout: 200 });
    const raw = connectTcp(Number(new URL(url).port), '127.0.0.1');
    raw.on('error', () => {});
    raw.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    await eventually(() => deliveryCount(daemon, 'HandshakesOpen') === 1, 'it is counted');
    await new Promise((resolve) => raw.once('close', resolve));
    expect(deliveryCount(daemon, 'HandshakesTimedOut')).toBe(1);
    expect(deliveryCount(daemon, 'HandshakesOpen')).toBe(0);
  });

  it('gives the reason of a refusal to a client whose request comes after it', async () => {
    const { daemon, url } = await webDaemon({ maxSessions: 1 });
    await session(daemon.port!, 'only');
    const client = await openWebSocket(url);
    expect((await client.closed).code).toBe(1000);
    expect([...client.bytes()]).toEqual([RESULT_CODES.REJECT_QUOTA & 0xff]);
  });

  it('ends a client that answers no ping within ClientTimeout, and keeps one that does', async () => {
    const { daemon, url } = await webDaemon({ clientTimeout: 1000 });
    await session(await webSocketBridge(url, 1000), 'lively');
    const dead = await openWebSocket(url);
    dead.socket.send(GREETING);
    // What would answer does not run.
    (dead.socket as unknown as { _socket: { pause(): void } })._socket.pause();
    await eventually(
      () => deliveryCount(daemon, 'SessionsOpen') + deliveryCount(daemon, 'HandshakesOpen') === 1,
      'one',
    );
    expect(deliveryCount(daemon, 'SessionsOpen')).toBe(1);
  });

  it('ends a slow consumer by the limits of every session', async () => {
    const { daemon, url } = await webDaemon({ maxSessionMessages: 50, maxSessionBytes: 4 * 1024 * 1024 });
    const bridge = await webSocketBridge(url, 1000);
    const slow = await session(bridge, 'slow');
    await slow.join('flood');
    slow.pause();
    const plain = await session(daemon.port!, 'plain');
    const data = Buffer.alloc(100_000);
    await eventually(async () => {
      await plain.multicast('flood', data);
      return deliveryCount(daemon, 'SlowConsumersEnded') === 1;
    }, 'the slow consumer ends');
  });

  it('says 1001 behind the last delivery when it stops', async () => {
    const daemon = await startDaemon({
      port: 0,
      logLevel: 'silent',
      unixSocketDir: null,
      webSocketListen: '127.0.0.1:0',
    });
    const client = await openWebSocket(daemon.webSocketUrls[0]!);
    client.socket.send(GREETING);
    await eventually(() => client.bytes().length > 0, 'the methods');
    client.socket.send(Buffer.concat([Buffer.from('NULL'), Buffer.alloc(86)]));
    await eventually(() => deliveryCount(daemon, 'SessionsOpen') === 1, 'the session');
    await daemon.stop();
    expect(await client.closed).toEqual({ code: 1001, reason: 'the daemon stops' });
  });
});
