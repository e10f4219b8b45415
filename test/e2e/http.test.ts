/** What a daemon serves over HTTP, which clients it serves, and what it refuses. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { COUNTER_METRICS } from '../../daemon/http/metric-names.ts';
import type { Status } from '../../daemon/http/status-types.ts';
import type { Daemon, StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { SupervisorCounter, supervisorCounters } from '../../engine/buffers/counters.ts';
import { eventually, testClient, testDaemon } from './support/daemons.ts';
import { EventReader, get, open, sendRaw } from './support/http.ts';
import { AGREED } from './support/wire-frames.ts';

const TOKEN = 'a-token-of-the-operator-0123456789';

function tokenFile(text = `# of the dashboard\n\n${TOKEN}\n`, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-http-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tokens');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function served(options: StartDaemonOptions = {}): Promise<{ readonly daemon: Daemon; readonly url: string }> {
  const daemon = await testDaemon({ httpListen: '127.0.0.1:0', ...options });
  return { daemon, url: daemon.httpUrls[0]! };
}

const at = (url: string, path: string): URL => new URL(path, url);
const statusOf = async (url: string): Promise<Status> => JSON.parse((await get(at(url, 'status.json'))).body) as Status;
const http = (daemon: Daemon, counter: keyof typeof SupervisorCounter): number =>
  supervisorCounters(daemon.counters)[SupervisorCounter[counter]]!;

describe('a daemon with HttpListen', () => {
  it('reports alive and ready before it has anything to serve', async () => {
    const { url } = await served();
    expect(await get(at(url, 'healthz'))).toMatchObject({ status: 200, body: '{"alive":true}\n' });
    await eventually(async () => (await get(at(url, 'readyz'))).status === 200, 'ready');
  });

  it('is not ready while it drains', async () => {
    const { daemon, url } = await served();
    await eventually(async () => (await get(at(url, 'readyz'))).status === 200, 'ready');
    const client = await testClient(daemon, 'stays');
    const stopped = daemon.stop({ drainTimeoutMs: 3000 });
    client.socket.pause();
    const answer = await get(at(url, 'readyz'));
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toEqual({ ready: false, reason: 'draining' });
    client.close();
    await stopped;
    await expect(get(at(url, 'readyz'))).rejects.toThrow('ECONNREFUSED');
  });

  it('exports every counter of the table in the format that a scrape expects', async () => {
    const { daemon, url } = await served({ deliveryWorkers: 2, threadingMode: 'shared-network', name: 'berlin' });
    const { status, headers, body } = await get(at(url, 'metrics'));
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const metric of COUNTER_METRICS) {
      const series = body.split('\n').filter((line) => line.startsWith(`${metric.name}{`));
      const blocks = { agent: 4, delivery: 2, ring: 1, network: 1, supervisor: 1 }[metric.block];
      expect(series, metric.name).toHaveLength(blocks * metric.counters.length);
      for (const line of series) expect(line).toContain('daemon="berlin"');
      expect(body).toContain(`# TYPE ${metric.name} ${metric.type}\n`);
    }
    expect(body).toMatch(
      /^skein_build_info\{version="[^"]+",node="[^"]+",threading_mode="shared-network",daemon="berlin"\} 1$/m,
    );
    expect(daemon.counters.deliveryWorkers).toBe(2);
  });

  it('shows the activity of clients in metrics and in status', async () => {
    const { daemon, url } = await served();
    const [sender, receiver] = [await testClient(daemon, 'sender'), await testClient(daemon, 'receiver')];
    await receiver.join('room');
    for (let i = 0; i < 10; i++) sender.send(sender.encode('room', Buffer.alloc(100), AGREED));
    await eventually(
      async () =>
        /^skein_delivery_frames_delivered_total\{worker="0",[^}]*\} 1[01]$/m.test((await get(at(url, 'metrics'))).body),
      'delivered',
    );
    await eventually(
      async () => (await statusOf(url)).sessions.list.some(({ messagesOut }) => messagesOut >= 10),
      'status',
    );
    const status = await statusOf(url);
    expect(status.daemon).toMatchObject({ name: 'localhost', pid: process.pid });
    expect(status.health).toEqual({ alive: true, ready: true, reason: null });
    expect(status.ring).toMatchObject({ state: 'operational', groupsState: 'operational' });
    expect(status.ring.members).toEqual([
      { name: 'localhost', address: '127.0.0.1', isPresent: true, isSelf: true, isLeader: true, isDraining: false },
    ]);
    expect(status.sessions.count).toBe(2);
    const of = (name: string) => status.sessions.list.find((session) => session.name === `#${name}#localhost`)!;
    expect(of('sender')).toMatchObject({ messagesIn: 10, groups: 0, isSlow: false, waitingBytes: 0 });
    expect(of('sender').peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(of('receiver')).toMatchObject({ groups: 1, messagesIn: 0 });
    expect(of('receiver').bytesOut).toBeGreaterThan(1000);
    expect(status.groups).toMatchObject({
      count: 1,
      list: [{ name: 'room', members: 1, localMembers: 1, daemons: 1 }],
    });
    receiver.close();
    await eventually(async () => (await statusOf(url)).ended.length > 0, 'the end of a session');
    expect((await statusOf(url)).ended[0]).toMatchObject({
      name: '#receiver#localhost',
      cause: 'closed',
      messagesIn: 0,
    });
  });

  it('streams events, including earlier ones, and samples on request', async () => {
    const { daemon, url } = await served();
    await eventually(async () => (await statusOf(url)).events.length >= 2, 'the first events');
    const plain = await EventReader.open(at(url, 'events'));
    const sampled = await EventReader.open(at(url, 'events?samples=1'));
    onTestFinished(() => {
      plain.close();
      sampled.close();
    });
    await eventually(() => plain.events.length >= 3 && sampled.ofKind('tick').length >= 2, 'events');
    expect(plain.events.map(({ event }) => event)).toEqual(expect.arrayContaining(['hello', 'daemon', 'membership']));
    expect(plain.ofKind('tick')).toEqual([]);
    expect(plain.ofKind('membership')[0]).toMatchObject({ members: ['localhost'], joined: ['localhost'], left: [] });
    expect(sampled.ofKind('tick')[0]).toMatchObject({ sample: { sessions: 0, members: 1 }, health: { ready: true } });
    expect(http(daemon, 'HttpStreams')).toBe(2);
    const resumed = await EventReader.open(at(url, 'events'), {
      headers: { 'Last-Event-ID': plain.events.at(-1)!.id },
    });
    onTestFinished(() => resumed.close());
    await eventually(() => resumed.events.length > 0, 'hello');
    expect(resumed.events.map(({ event }) => event)).toEqual(['hello']);
    const client = await testClient(daemon, 'rude');
    client.send(Buffer.alloc(64, 0xff));
    await eventually(() => resumed.ofKind('session-ended').length === 1, 'the end of a session');
    expect(resumed.ofKind('session-ended')[0]).toMatchObject({ session: '#rude#localhost', cause: 'protocol' });
  });
});

describe('HTTP refuses', () => {
  it.each([
    ['another method', { method: 'POST' }, 'healthz', 405],
    ['a method of WebDAV', { method: 'PROPFIND' }, 'healthz', 405],
    ['a path that there is not', {}, 'etc/passwd', 404],
    ['a path above', {}, '..%2f..%2fetc%2fpasswd', 404],
    ['an unknown parameter', {}, 'healthz?x=1', 400],
    ['a number that is none', {}, 'events?after=x', 400],
    ['a body', { headers: { 'Content-Length': '5' } }, 'healthz', 413],
    ['a name that is not its own (DNS rebinding)', { headers: { Host: 'attacker.example' } }, 'status.json', 421],
    ['a name that begins like its own', { headers: { Host: '127.0.0.1.attacker.example' } }, 'status.json', 421],
    [
      "another site's page",
      { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' } },
      'status.json',
      403,
    ],
  ] as const)('%s', async (_, wish, path, status) => {
    const { daemon, url } = await served();
    const answer = await get(at(url, path), wish);
    expect(answer.status).toBe(status);
    expect(answer.headers.connection).toBe('close');
    expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) });
    expect(http(daemon, 'HttpRefused')).toBe(1);
    if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD');
  });

  it.each([
    ['headers of 9,000 bytes', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, '431'],
    ['what is no HTTP', `${'\0'.repeat(100)}\r\n\r\n`, '400'],
    ['a request without a Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', '400'],
    ['a proxy request', 'GET http://a.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n', '400'],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400'],
  ])('%s', async (_, bytes, status) => {
    const { url } = await served();
    expect(await sendRaw(url, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await get(at(url, 'healthz'))).status).toBe(200);
  });

  it('a client that sends its request byte by byte for more than five seconds', async () => {
    const { url } = await served();
    const begun = Date.now();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write('GET /healthz HT');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.resume().on('close', resolve));
    expect(Date.now() - begun).toBeGreaterThan(3000);
  });

  it('connections beyond 128, and accepts new ones when some have ended', async () => {
    const { daemon, url } = await served();
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: 140 }, () => connect(Number(port), hostname).on('error', () => {}));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await eventually(
      () => http(daemon, 'HttpRefused') === 12,
      () => `refused ${http(daemon, 'HttpRefused')}`,
    );
    expect(http(daemon, 'HttpConnections')).toBe(128);
    for (const socket of sockets) socket.destroy();
    await eventually(() => http(daemon, 'HttpConnections') === 0, 'all gone');
    expect((await get(at(url, 'healthz'))).status).toBe(200);
  });
});

describe('HttpTokenFile', () => {
  it('hides sessions from clients without a token, but still answers health checks', async () => {
    const { url } = await served({ httpTokenFile: tokenFile() });
    for (const path of ['metrics', 'status.json', 'events']) {
      const refused = await get(at(url, path));
      expect([path, refused.status, refused.headers['www-authenticate']]).toEqual([path, 401, 'Bearer realm="skein"']);
      for (const authorization of [
        '',
        'Bearer',
        'Bearer x',
        `Basic ${TOKEN}`,
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN.slice(1)}`,
      ])
        expect((await get(at(url, path), { headers: { Authorization: authorization } })).status).toBe(401);
      const allowed = await open(at(url, path), { headers: { Authorization: `Bearer ${TOKEN}` } });
      expect([path, allowed.statusCode]).toEqual([path, 200]);
      allowed.destroy();
    }
    for (const path of ['healthz', 'readyz', '']) expect((await get(at(url, path))).status).not.toBe(401);
    // With a token any Host is accepted.
    const headers = { Host: 'berlin.example', Authorization: `Bearer ${TOKEN}` };
    expect((await get(at(url, 'metrics'), { headers })).status).toBe(200);
  });

  it('is read again when it changes; when the new content is wrong, the old tokens stay', async () => {
    const path = tokenFile();
    const { url } = await served({ httpTokenFile: path });
    const status = async (token: string): Promise<number> =>
      (await get(at(url, 'metrics'), { headers: { Authorization: `Bearer ${token}` } })).status;
    expect(await status(TOKEN)).toBe(200);
    writeFileSync(path, 'another-token-0123456789\n');
    await eventually(async () => (await status('another-token-0123456789')) === 200, 'the new token');
    expect(await status(TOKEN)).toBe(401);
    writeFileSync(path, 'short\n');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await status('another-token-0123456789')).toBe(200);
  });

  it.each([
    ['a token of a few characters', 'secret\n', 0o600, /line 1: a token has 16 to 256 characters, and this one 6/],
    ['blanks in a token', 'a token of several words\n', 0o600, /line 1: a token has printable ASCII characters/],
    ['no token', '# none\n', 0o600, /it has no token/],
    ['a mode that lets others read it', `${TOKEN}\n`, 0o644, /mode 0644 lets others read/],
  ])('with %s is refused at the start', async (_, text, mode, message) => {
    const file = tokenFile(text, mode);
    await expect(testDaemon({ httpListen: '127.0.0.1:0', httpTokenFile: file })).rejects.toThrow(message);
  });

  it('is needed for an address beyond loopback', async () => {
    const reason =
      /httpListen is "0\.0\.0\.0:0"; it must be an address of loopback, or httpTokenFile must be set as well/;
    await expect(testDaemon({ httpListen: '0.0.0.0:0' })).rejects.toThrow(reason);
    await expect(testDaemon({ httpListen: ['127.0.0.1:0', '[::]:0'] })).rejects.toThrow('[::]:0');
    const daemon = await testDaemon({ httpListen: '0.0.0.0:0', httpTokenFile: tokenFile() });
    expect(daemon.httpUrls).toHaveLength(1);
  });
});

it('a daemon whose HTTP port is taken does not start, and names the port', async () => {
  const { url } = await served();
  const { port } = new URL(url);
  await expect(testDaemon({ httpListen: `127.0.0.1:${port}` })).rejects.toThrow(
    `httpListen: cannot listen on 127.0.0.1:${port}: EADDRINUSE, another program uses it`,
  );
});

it('a daemon without HttpListen serves nothing', async () => {
  expect((await testDaemon()).httpUrls).toEqual([]);
});
