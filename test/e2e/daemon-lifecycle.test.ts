/** Start, stop and failure of an embedded daemon. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { link, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ResolvedThreadingMode } from '../../workers/threading.ts';
import { freePort, testClient, testClients, testDaemon } from './support/daemons.ts';
import { WireClient, WireSocket } from './support/wire-client.ts';
import { AGREED, VIEW_DISCONNECT } from './support/wire-frames.ts';

const MODES: readonly ResolvedThreadingMode[] = ['shared', 'shared-network', 'dedicated', 'inline'];

const folder = mkdtempSync(join(tmpdir(), 'skein-lifecycle-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(MODES)('%s', (threadingMode) => {
  it('serves the Unix socket and the TCP port, and removes the socket file when it stops', async () => {
    const port = await freePort();
    const daemon = await testDaemon({ threadingMode, port, unixSocketDir: folder });
    const path = join(folder, String(port));
    expect(daemon.addresses).toEqual([{ host: '127.0.0.1', port }, { path }]);
    const local = await WireClient.connect({ path }, { name: 'local' });
    const remote = await testClient(daemon, 'remote');
    await local.joined('room');
    await remote.joined('room');
    await local.frame();
    local.multicast('room', 'over the socket file');
    expect(await remote.messages(1)).toEqual(['over the socket file']);
    expect(await local.messages(1)).toEqual(['over the socket file']);
    await daemon.stop();
    await local.takeToEnd();
    expect(existsSync(path)).toBe(false);
    await expect(daemon.closed).resolves.toBeUndefined();
  });

  it('delivers on stop what was sent before it', async () => {
    const daemon = await testDaemon({ threadingMode });
    const [sender, receiver] = await testClients(daemon, 'sender', 'receiver');
    await receiver!.joined('room');
    receiver!.socket.pause();
    const count = 5000;
    // More than twice what the kernel buffers for a connection.
    const text = (i: number): string => `message ${i} `.padEnd(4000, 'x');
    await sender!.sendAll(Buffer.concat(Array.from({ length: count }, (_, i) => sender!.encode('room', text(i)))));
    const stopped = daemon.stop({ drainTimeoutMs: 10_000 });
    setImmediate(() => receiver!.socket.resume());
    await stopped;
    expect(await receiver!.messages(count)).toEqual(Array.from({ length: count }, (_, i) => text(i)));
    expect(await receiver!.takeToEnd()).toHaveLength(0);
  });

  it('stops in bounded time under load, although a client reads nothing', async () => {
    const daemon = await testDaemon({ threadingMode });
    const [sender, receiver, stuck] = await testClients(daemon, 'sender', 'receiver', 'stuck');
    await receiver!.joined('room');
    await stuck!.joined('room');
    stuck!.socket.pause();
    const burst = Buffer.concat(Array.from({ length: 64 }, () => sender!.encode('room', Buffer.alloc(1000))));
    const flood = (async () => {
      while (!sender!.ended) {
        await sender!.sendAll(burst);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })().catch(() => {});
    await receiver!.frames(2000);
    await daemon.stop({ drainTimeoutMs: 100 });
    await flood;
    await receiver!.takeToEnd();
    await expect(daemon.closed).resolves.toBeUndefined();
  });

  it('names the port that is taken, and leaves nothing running', async () => {
    const first = await testDaemon({ threadingMode });
    await expect(testDaemon({ threadingMode, port: first.port! })).rejects.toThrow(
      `port: cannot listen on 127.0.0.1:${first.port}: EADDRINUSE, another program uses it`,
    );
    const client = await testClient(first, 'alice');
    expect(await client.barrier()).toEqual([]);
  });
});

it('runs several daemons in one process, each with its own clients and groups', async () => {
  const [first, second] = await Promise.all([testDaemon({ name: 'first' }), testDaemon({ name: 'second' })]);
  const alice = await testClient(first!, 'alice');
  const bob = await testClient(second!, 'alice');
  expect([alice.privateName, bob.privateName]).toEqual(['#alice#first', '#alice#second']);
  expect((await alice.joined('room')).groups).toEqual(['#alice#first']);
  expect((await bob.joined('room')).groups).toEqual(['#alice#second']);
  alice.multicast('room', 'for the first');
  expect(await alice.messages(1)).toEqual(['for the first']);
  await first!.stop();
  bob.multicast('room', 'the second goes on');
  expect(await bob.messages(1)).toEqual(['the second goes on']);
});

it('can be stopped twice, while it stops, and as a disposable', async () => {
  const daemon = await testDaemon();
  const stops = [daemon.stop(), daemon.stop(), daemon[Symbol.asyncDispose]()];
  await Promise.all(stops);
  await daemon.stop();
  const late = new WireSocket({ port: daemon.port! });
  onTestFinished(() => late.close());
  expect(await late.takeToEnd()).toHaveLength(0);
});

it('refuses a socket file that another daemon serves, and replaces a stale one', async () => {
  const port = await freePort();
  const first = await testDaemon({ port, listen: [], unixSocketDir: folder });
  expect(first.port).toBeNull();
  await expect(testDaemon({ port, listen: [], unixSocketDir: folder })).rejects.toThrow(
    `unix socket ${join(folder, String(port))}: another daemon is listening on it`,
  );
  await first.stop();
  const leftBehind = createServer();
  const path = join(folder, String(port));
  await new Promise<void>((resolve) => leftBehind.listen(path, resolve));
  // What a killed process leaves: a file that nobody listens on.
  await link(path, `${path}.kept`);
  await new Promise((resolve) => leftBehind.close(resolve));
  await link(`${path}.kept`, path);
  await unlink(`${path}.kept`);
  const second = await testDaemon({ port, listen: [], unixSocketDir: folder });
  const client = await WireClient.connect({ path }, { name: 'alice' });
  onTestFinished(() => client.close());
  expect((await client.joined('room')).groups).toEqual(['#alice#localhost']);
  await second.stop();
});

it('announces a client whose connection breaks, and frees its name', async () => {
  const daemon = await testDaemon();
  const [alice, bob] = await testClients(daemon, 'alice', 'bob');
  await alice!.joined('room');
  await bob!.joined('room');
  await alice!.frame();
  bob!.multicast('room', 'last words', AGREED);
  bob!.socket.resetAndDestroy();
  expect(await alice!.messages(1)).toEqual(['last words']);
  expect(await alice!.frame()).toMatchObject({ type: VIEW_DISCONNECT, groups: ['#alice#localhost'] });
  const again = await testClient(daemon, 'bob');
  expect(again.privateName).toBe('#bob#localhost');
  again.kill();
  await again.takeToEnd();
});
