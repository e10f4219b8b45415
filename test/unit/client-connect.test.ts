/** Where `connect` looks for a daemon, one place after the other. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DaemonAddress } from '../../client/address.ts';
import { connectWith } from '../../client/connect.ts';
import { resolveConnectOptions } from '../../client/connect-options.ts';
import type { ConnectOptions, Session } from '../../client/index.ts';
import { FakeDaemon, type Script } from './client-fake-daemon.ts';

const accept: Script = async (peer) => void (await peer.accept());
const silent: Script = async (peer) => void (await peer.readToEnd());
const refuse =
  (code: number): Script =>
  async (peer) => {
    await peer.read(10);
    peer.socket.end(Uint8Array.of(code));
  };

const daemons: FakeDaemon[] = [];
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const daemon of daemons.splice(0)) await daemon.stop();
});

async function start(script: Script): Promise<FakeDaemon> {
  const daemon = await FakeDaemon.start(script);
  daemons.push(daemon);
  return daemon;
}

const folder = mkdtempSync(join(tmpdir(), 'skein-connect-'));
const noSocket: DaemonAddress = { path: join(folder, '4803') };

async function open(addresses: readonly DaemonAddress[], options: ConnectOptions = {}): Promise<Session> {
  const session = await connectWith({ ...resolveConnectOptions({ name: 'alice', ...options }), addresses });
  sessions.push(session);
  return session;
}

const failure = (addresses: readonly DaemonAddress[], options: ConnectOptions = {}): Promise<unknown> =>
  open(addresses, options).then(
    () => 'connected',
    (error: unknown) => error,
  );

async function closedPort(): Promise<DaemonAddress> {
  const daemon = await FakeDaemon.start(silent);
  await daemon.stop();
  return daemon.address;
}

describe('connecting without an address', () => {
  it('connects to the first place where a daemon listens', async () => {
    const [first, second] = [await start(accept), await start(accept)];
    await open([first.address, second.address]);
    expect([first.connections, second.connections]).toEqual([1, 0]);
  });

  it('tries the next place when nobody listens at the first: no socket, a stale one, a file, a closed port', async () => {
    const file: DaemonAddress = { path: join(folder, 'file') };
    writeFileSync(file.path, '');
    for (const nowhere of [noSocket, file, await closedPort()]) {
      const daemon = await start(accept);
      const session = await open([nowhere, daemon.address]);
      expect(session.privateName).toBe('#alice#localhost');
    }
  });

  it('names every place when nobody listens anywhere', async () => {
    const port = await closedPort();
    const error = await failure([noSocket, port]);
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT', cause: { code: 'ECONNREFUSED' } });
    expect((error as Error).message).toMatch(
      /^could not connect to .*4803: there is no such socket \(ENOENT\); could not connect to \d+@127.0.0.1: no daemon listens there \(ECONNREFUSED\)\. Start a daemon there \(skein start\), or give the address of one that runs$/,
    );
    expect(error).toMatchObject({ reason: 'nobody-listens' });
  });

  it('says how a daemon is reached over TCP when a port alone was a Unix socket', async () => {
    expect(((await failure([noSocket])) as Error).message).toMatch(/ \(over TCP: 4803@localhost\)$/);
    expect(((await failure([{ path: join(folder, 'skein.sock') }])) as Error).message).not.toContain('over TCP');
    expect(((await failure([await closedPort()])) as Error).message).not.toContain('over TCP');
  });

  it('gives no advice about a place that does not answer', async () => {
    const error = await failure([(await start(silent)).address], { connectTimeoutMs: 50 });
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT', reason: undefined });
    expect((error as Error).message).not.toMatch(/Start a daemon/);
  });

  it.each([
    [-3, 'REJECT_QUOTA'],
    [-6, 'REJECT_NOT_UNIQUE'],
    [-9, 'REJECT_AUTH'],
  ])('stops at a refusal with %i and tries no other place', async (code, name) => {
    const [first, second] = [await start(refuse(code)), await start(accept)];
    const retry = { retryNameInUse: { attempts: 1, delayMs: 0 } };
    expect(await failure([first.address, second.address], retry)).toMatchObject({ code: name });
    expect(second.connections).toBe(0);
  });

  it('tries all places again when it retries a name in use', async () => {
    const daemon = await start((peer, connection) =>
      connection < 2 ? refuse(-6)(peer, connection) : accept(peer, connection),
    );
    await open([noSocket, daemon.address], { retryNameInUse: { attempts: 3, delayMs: 1 } });
    expect(daemon.connections).toBe(3);
  });

  it('has one connectTimeoutMs for all places: a silent daemon at the first one uses it up', async () => {
    const [first, second] = [await start(silent), await start(accept)];
    const error = await failure([first.address, second.address], { connectTimeoutMs: 50 });
    expect(error).toMatchObject({ code: 'COULD_NOT_CONNECT' });
    expect((error as Error).message).toMatch(/^no session at \S+ within connectTimeoutMs 50$/);
    expect(second.connections).toBe(0);
  });

  it('stops when aborted between two places', async () => {
    const controller = new AbortController();
    const daemon = await start(accept);
    const connecting = failure([noSocket, daemon.address], { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await connecting).toBe(reason);
    expect(daemon.connections).toBe(0);
  });
});
