/** A daemon drains: who is told, what of, until when; and how it ends, by signal, by call and by command. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type Session } from '../../client/index.ts';
import type { Daemon } from '../../daemon/start-daemon.ts';
import { CONNECT_TAKES_NOTICES, CONNECT_WANTS_MEMBERSHIP } from '../../engine/wire/connect-flags.ts';
import { NOTICE_MESS } from '../../engine/wire/service.ts';
import { DaemonProcess } from '../cluster/daemon-process.ts';
import { loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';
import { skein } from './cli-process.ts';
import { Authority } from './support/certificates.ts';
import { deliveryCount, eventually, freePort, testClient, testClients, testDaemon } from './support/daemons.ts';
import {
  CUT_NOTHING,
  clientOf,
  closed,
  type DrainedDaemon,
  drainCluster,
  isWholeRing,
  lastLine,
  noticeOf,
} from './support/drain-cluster.ts';
import { get } from './support/http.ts';
import { connectWithFlags, WireSocket } from './support/wire-client.ts';

const TIMEOUT_MS = 120_000;
const authority = new Authority();
afterAll(() => authority.remove());

const textOf = ({ addresses }: Daemon): string => `${addresses[0]!.host}:${addresses[0]!.port}`;
const timed = async (work: Promise<unknown>): Promise<number> => {
  const startedMs = performance.now();
  await work;
  return performance.now() - startedMs;
};

describe('who is told', () => {
  it(
    'is everyone whose CONNECT says so, with the daemons that serve on; others are served, and get their end',
    async () => {
      const [first, second, third] = (await drainCluster(3, { DrainTime: 3000 })) as [
        DrainedDaemon,
        DrainedDaemon,
        DrainedDaemon,
      ];
      const ours = await clientOf(first.daemon, { name: 'ours' });
      const genuine = await testClient(first.daemon, 'genuine');
      await Promise.all([ours.join('room'), genuine.joined('room')]);
      const told = noticeOf(ours);
      const startedMs = performance.now();
      const draining = first.daemon.drain();
      const { msLeft, addresses, atMs } = await told;
      expect([...addresses].sort()).toEqual([textOf(second.daemon), textOf(third.daemon)].sort());
      expect(msLeft).toBeLessThanOrEqual(3000);
      expect(msLeft).toBeGreaterThan(3000 - (atMs - startedMs) - 50);
      expect(ours.drainNotice).toEqual({ msLeft, addresses });
      // Both are served on meanwhile.
      genuine.multicast('room', 'still here');
      for (let text = ''; text !== 'still here'; ) {
        const event = await ours.receive();
        if (event.kind === 'message') text = event.data.toString();
      }
      await Promise.all([closed(ours), draining]);
      // It did not move, so it had all of its time.
      expect(performance.now() - startedMs).toBeGreaterThan(2900);
      expect(deliveryCount(first.daemon, 'NoticesSent')).toBe(1);
      for (const { type } of genuine.waiting) expect(type & NOTICE_MESS).toBe(0);
      expect(lastLine(first)).toMatchObject({ ...CUT_NOTHING, sessionsMoved: 0 });
      await eventually(() => isWholeRing(second.daemon, 2), 'the others to go on');
    },
    TIMEOUT_MS,
  );

  it.each([0, 0x01, 0x10, 0x11, 0x08, 0x0d, 0x82, 0x83, 0xff])('is never a session with flags %i', async (flags) => {
    const [first] = await drainCluster(2, { DrainTime: 2000 });
    const quiet = new WireSocket({ port: first!.daemon.port!, host: first!.daemon.addresses[0]!.host! });
    onTestFinished(() => quiet.close());
    quiet.send(connectWithFlags('quiet', flags));
    await quiet.take((await quiet.take(1))[0]!);
    quiet.send(Buffer.concat([Buffer.from('NULL'), Buffer.alloc(86)]));
    await quiet.take((await quiet.take(5))[4]!);
    const tookMs = await timed(first!.daemon.drain());
    expect(deliveryCount(first!.daemon, 'NoticesSent')).toBe(0);
    expect(quiet.gather()).toHaveLength(0);
    // Nobody was told, so there was nobody to wait for.
    expect(tookMs).toBeLessThan(1900);
  });

  it('is a client that speaks the protocol with the bit, whatever else it sets', async () => {
    const [first] = await drainCluster(2, { DrainTime: 2000 });
    const session = await clientOf(first!.daemon, { name: 'x', membership: false, priority: 1 });
    const told = noticeOf(session);
    void first!.daemon.drain();
    expect((await told).addresses).toHaveLength(1);
  });

  it(
    'over TLS and WebSockets, learns of addresses of that kind',
    async () => {
      const { certFile, keyFile } = authority.issue('localhost');
      const [tlsPort, webPort] = [await freePort(), await freePort()];
      const daemons = await drainCluster(2, { DrainTime: 5000 }, (i) => ({
        tlsListen: `127.0.0.${i + 1}:${tlsPort}`,
        tlsCertificateFile: certFile,
        tlsKeyFile: keyFile,
        webSocketListen: `127.0.0.${i + 1}:${webPort}`,
        webSocketOrigins: '*',
      }));
      const { daemon } = daemons[0]!;
      const tls = { ca: authority.ca, servername: 'localhost' };
      const overTls = await connect({ host: '127.0.0.1', port: tlsPort, tls, name: 'secret' });
      overTls.on('error', () => undefined);
      // Node has it from version 22 on.
      Object.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket });
      const { connect: connectPage } = await import('../../client/browser/connect-page.ts');
      const page = await connectPage({ url: daemon.webSocketUrls[0]!, name: 'page' });
      page.on('error', () => undefined);
      const told = [noticeOf(overTls), noticeOf(page)];
      const draining = daemon.drain();
      const [secretNotice, pageNotice] = await Promise.all(told);
      expect(secretNotice!.addresses).toEqual([`tls://127.0.0.2:${tlsPort}`]);
      expect(pageNotice!.addresses).toEqual([`ws://127.0.0.2:${webPort}/`]);
      // They are good for `connect` as they are.
      const secretAgain = await connect({ address: secretNotice!.addresses[0]!, tls, name: 'secret2' });
      const pageAgain = await connectPage({ url: pageNotice!.addresses[0]!, name: 'page2' });
      await Promise.all([overTls.close(), page.close(), draining]);
      expect(lastLine(daemons[0]!)).toMatchObject({ ...CUT_NOTHING, sessionsMoved: 2 });
      await Promise.all([secretAgain.close(), pageAgain.close()]);
    },
    TIMEOUT_MS,
  );
});

describe('the time', () => {
  it('is not used when there is nowhere to go', async () => {
    const daemon = await testDaemon({ drainTime: 60_000 });
    const session = await clientOf(daemon, { name: 'ours' });
    const told = noticeOf(session);
    expect(await timed(daemon.drain())).toBeLessThan(5000);
    expect(await told).toMatchObject({ msLeft: 0, addresses: [] });
  });

  it('is not used when nobody is there, or only clients that cannot be told', async () => {
    const [first, second] = await drainCluster(3, { DrainTime: 60_000 });
    await testClients(first!.daemon, 'a', 'b');
    const tookMs = await Promise.all([first!, second!].map(({ daemon }) => timed(daemon.drain())));
    for (const ms of tookMs) expect(ms).toBeLessThan(10_000);
  });

  it('ends when the last client that was told is gone, however it goes', async () => {
    const [first] = await drainCluster(2, { DrainTime: 60_000 });
    const sessions = await Promise.all(['a', 'b', 'c'].map((name) => clientOf(first!.daemon, { name })));
    const told = sessions.map(noticeOf);
    const draining = first!.daemon.drain();
    await Promise.all(told);
    void sessions[0]!.close();
    sessions[1]!.destroy();
    await delay(300);
    void sessions[2]!.close();
    expect(await timed(draining)).toBeLessThan(10_000);
    expect(deliveryCount(first!.daemon, 'SessionsMoved')).toBeGreaterThanOrEqual(2);
  });

  it('is cut short by stop(), and both promises are of one end', async () => {
    const [first] = await drainCluster(2, { DrainTime: 600_000 });
    const session = await clientOf(first!.daemon, { name: 'stays' });
    const told = noticeOf(session);
    const draining = first!.daemon.drain();
    await told;
    expect(await timed(Promise.all([first!.daemon.stop(), draining, first!.daemon.closed]))).toBeLessThan(10_000);
    expect(lastLine(first!)).toMatchObject(CUT_NOTHING);
  });

  it('of a call goes before that of the option; 0 tells nobody', async () => {
    const [first] = await drainCluster(2, { DrainTime: 600_000 });
    const session = await clientOf(first!.daemon, { name: 'stays' });
    let isTold = false;
    session.on('drain', () => {
      isTold = true;
    });
    expect(await timed(first!.daemon.drain({ drainTimeMs: 0 }))).toBeLessThan(5000);
    expect(isTold).toBe(false);
  });

  it.each([
    [{ drainTimeMs: -1 }, /drainTimeMs.*0 to 600000/],
    [{ drainTimeMs: 1.5 }, /drainTimeMs/],
    [{ drainTimeMs: '5' }, /drainTimeMs/],
    [{ drainTimeMs: null }, /drainTimeMs/],
    [{ drainTimeoutMs: 600_001 }, /drainTimeoutMs/],
    [{ drainTime: 5 }, /unknown option.*drainTime/],
    [5, /options of drain/],
  ])('is refused as %j, and the daemon serves on', async (options, message) => {
    const daemon = await testDaemon();
    await expect(daemon.drain(options as never)).rejects.toThrow(message);
    await testClient(daemon, 'still');
  });

  it(
    'is too short for the views of all: fewer are told, and the log says so',
    async () => {
      const [first] = await drainCluster(2, { DrainTime: 2000, DrainViewBytes: 10_000 });
      const sessions = await Promise.all(
        Array.from({ length: 30 }, (_, i) => clientOf(first!.daemon, { name: `s${i}` })),
      );
      await Promise.all(sessions.map((session) => session.join('room')));
      let told = 0;
      for (const session of sessions) session.on('drain', () => told++);
      await first!.daemon.drain();
      // 30 names twice for each: 2 kB. 14 kB are for 0.7 of the time.
      expect(told).toBeGreaterThanOrEqual(5);
      expect(told).toBeLessThanOrEqual(9);
      expect(first!.lines.join('')).toMatch(
        /"sessions":\d+,"drainViewBytes":10000,"msg":"not all clients can be told to move/,
      );
      expect(lastLine(first!)).toMatchObject({ ...CUT_NOTHING, sessionsNotTold: 30 - told });
    },
    TIMEOUT_MS,
  );
});

describe('two daemons', () => {
  it(
    'name neither each other nor those that stop; a newcomer is named',
    async () => {
      const [first, second, third] = await drainCluster(3, { DrainTime: 20_000 });
      const [a, b] = await Promise.all([
        clientOf(first!.daemon, { name: 'a' }),
        clientOf(second!.daemon, { name: 'b' }),
      ]);
      const told = [noticeOf(a!), noticeOf(b!)];
      const draining = [first!.daemon.drain(), second!.daemon.drain()];
      for (const { addresses } of await Promise.all(told)) expect(addresses).toEqual([textOf(third!.daemon)]);
      await Promise.all([a!.close(), b!.close(), ...draining]);
      expect(lastLine(first!)).toMatchObject(CUT_NOTHING);
      expect(lastLine(second!)).toMatchObject(CUT_NOTHING);
    },
    TIMEOUT_MS,
  );

  it(
    'know of one that drains also when the ring has changed meanwhile',
    async () => {
      const [first, second, third, fourth] = await drainCluster(4, { DrainTime: 30_000 });
      const stays = await clientOf(first!.daemon, { name: 'stays' });
      const told = noticeOf(stays);
      const draining = first!.daemon.drain();
      await told;
      await fourth!.daemon.stop();
      await eventually(() => isWholeRing(second!.daemon, 3), 'a ring of three');
      const b = await clientOf(second!.daemon, { name: 'b' });
      const toldAgain = noticeOf(b);
      const drainingToo = second!.daemon.drain();
      expect((await toldAgain).addresses).toEqual([textOf(third!.daemon)]);
      await Promise.all([stays.close(), b.close(), draining, drainingToo]);
    },
    TIMEOUT_MS,
  );

  it(
    'all of a ring: the lists are empty, nothing is lost, and nobody waits',
    async () => {
      const daemons = await drainCluster(3, { DrainTime: 60_000 });
      const members = await Promise.all(
        daemons.map(async ({ daemon }, i) => {
          const member = await clientOf(daemon, { name: `m${i}` });
          const got = new Map<string, number>();
          member.on('message', ({ sender }) => got.set(sender, (got.get(sender) ?? 0) + 1));
          await member.join('room');
          return { member, got };
        }),
      );
      const senders = await Promise.all(daemons.map(({ daemon }, i) => clientOf(daemon, { name: `s${i}` })));
      await Promise.all(
        senders.map(async (sender) => {
          for (let i = 0; i < 1000; i++) sender.multicast('room', `${i}`);
          await sender.flushed();
        }),
      );
      const ends = members.map(({ member }) => closed(member));
      const tookMs = await timed(Promise.all(daemons.map(({ daemon }) => daemon.drain({ drainTimeoutMs: 20_000 }))));
      expect(tookMs).toBeLessThan(30_000);
      await Promise.all(ends);
      for (const { member } of members) expect(member.drainNotice).toMatchObject({ addresses: [] });
      for (const { got } of members)
        expect([...got]).toEqual(expect.arrayContaining(senders.map(({ privateName }) => [privateName, 1000])));
      for (const daemon of daemons) expect(lastLine(daemon)).toMatchObject(CUT_NOTHING);
    },
    TIMEOUT_MS,
  );
});

describe('while a daemon drains', () => {
  async function draining(options = {}): Promise<{ first: DrainedDaemon; stays: Session; end: Promise<void> }> {
    const [first] = await drainCluster(2, { DrainTime: 20_000 }, (i) => (i === 0 ? options : {}));
    const stays = await clientOf(first!.daemon, { name: 'stays' });
    const told = noticeOf(stays);
    const end = first!.daemon.drain();
    await told;
    return { first: first!, stays, end };
  }

  it(
    'nobody can connect, /readyz says why, and all daemons show it',
    async () => {
      const httpListen = '127.0.0.1:0';
      const [first, second] = await drainCluster(2, { DrainTime: 20_000 }, () => ({ httpListen }));
      const stays = await clientOf(first!.daemon, { name: 'stays' });
      const [url, otherUrl] = [first!, second!].map(({ daemon }) => daemon.httpUrls[0]!);
      expect((await get(`${url}readyz`)).status).toBe(200);
      const told = noticeOf(stays);
      const end = first!.daemon.drain();
      await told;
      await expect(clientOf(first!.daemon, { name: 'late' })).rejects.toMatchObject({ code: 'COULD_NOT_CONNECT' });
      expect(await get(`${url}readyz`)).toMatchObject({ status: 503, body: expect.stringContaining('draining') });
      expect((await get(`${url}healthz`)).status).toBe(200);
      for (const at of [url!, otherUrl!]) {
        const { ring } = JSON.parse((await get(`${at}status.json`)).body);
        expect(ring.members.map(({ isDraining }: { isDraining: boolean }) => isDraining)).toEqual([true, false]);
      }
      const metrics = (await get(`${url}metrics`)).body;
      expect(metrics).toMatch(/^skein_ready\{.*\} 0$/m);
      expect(metrics).toMatch(/^skein_supervisor_draining\{.*\} 1$/m);
      expect(metrics).toMatch(/^skein_delivery_notices_sent_total\{.*\} 1$/m);
      await stays.close();
      await end;
      await eventually(async () => (await get(`${otherUrl}readyz`)).status === 200, 'the other to go on');
    },
    TIMEOUT_MS,
  );

  it(
    'the ended sessions say who moved',
    async () => {
      const { first, stays, end } = await draining({ httpListen: '127.0.0.1:0' });
      const second = await clientOf(first.daemon, { name: 'late' }).catch(() => null);
      expect(second).toBeNull();
      await stays.close();
      expect(deliveryCount(first.daemon, 'SessionsMoved')).toBe(1);
      await end;
    },
    TIMEOUT_MS,
  );

  it(
    'who is in the handshake is told that the daemon is busy, over every transport',
    async () => {
      const { certFile, keyFile } = authority.issue('localhost');
      const options = {
        tlsListen: '127.0.0.1:0',
        tlsCertificateFile: certFile,
        tlsKeyFile: keyFile,
        webSocketListen: '127.0.0.1:0',
        unixSocketDir: mkdtempSync(join(tmpdir(), 'skein-drain-')),
      };
      onTestFinished(() => rmSync(options.unixSocketDir, { recursive: true }));
      const [first] = await drainCluster(2, { DrainTime: 20_000 }, (i) => (i === 0 ? options : {}));
      const { daemon } = first!;
      const { host, port } = daemon.addresses[0]!;
      const tlsPort = daemon.addresses.find(({ tls }) => tls === true)!.port!;
      const path = daemon.addresses.find((address) => address.path !== undefined)!.path!;
      const received: Record<string, Buffer[]> = {};
      const collect = (name: string, socket: ReturnType<typeof connectSocket>): void => {
        received[name] = [];
        socket.on('data', (bytes: Buffer) => received[name]!.push(bytes));
        socket.on('error', () => undefined);
        onTestFinished(() => void socket.destroy());
      };
      const silent = connectSocket(port!, host!);
      const halfway = connectSocket(port!, host!);
      const overUnix = connectSocket(path);
      const overTls = connectTls({ port: tlsPort, host: '127.0.0.1', ca: authority.ca, servername: 'localhost' });
      const inTls = connectSocket(tlsPort, '127.0.0.1');
      for (const [name, socket] of Object.entries({ silent, halfway, overUnix, overTls, inTls })) collect(name, socket);
      halfway.write(connectWithFlags('half', CONNECT_WANTS_MEMBERSHIP | CONNECT_TAKES_NOTICES));
      await Promise.all([
        once(overTls, 'secureConnect'),
        eventually(() => received['halfway']!.length > 0, 'AUTH-LIST'),
      ]);
      await eventually(() => deliveryCount(daemon, 'HandshakesOpen') >= 4, 'four handshakes');
      const stays = await clientOf(daemon, { name: 'stays' });
      const ends = [silent, halfway, overUnix, overTls, inTls].map((socket) => once(socket, 'close'));
      const told = noticeOf(stays);
      const end = daemon.drain();
      await Promise.all([told, ...ends]);
      const bytes = (name: string): string => Buffer.concat(received[name]!).toString('hex');
      // -3, which libraries give to their program as REJECT_QUOTA.
      expect([bytes('silent'), bytes('overUnix'), bytes('overTls')]).toEqual(['fd', 'fd', 'fd']);
      expect(bytes('halfway')).toMatch(/fd$/);
      expect(bytes('inTls')).toBe('');
      const late = [connectSocket(port!, host!), connectSocket(path), connectSocket(tlsPort, '127.0.0.1')];
      for (const [error] of await Promise.all(late.map((socket) => once(socket, 'error'))))
        expect((error as NodeJS.ErrnoException).code).toMatch(/ECONNREFUSED|ENOENT/);
      await stays.close();
      await end;
    },
    TIMEOUT_MS,
  );

  it(
    'a message sent in two halves is ordered, also when the second comes late, and a blocked receiver holds up nobody',
    async () => {
      const { first, stays, end } = await draining();
      // They were there before.
      expect(first.daemon.addresses).not.toEqual([]);
      await stays.close();
      await end;
      const [again, other] = await drainCluster(2, { DrainTime: 3000 });
      const watcher = await clientOf(other!.daemon, { name: 'watch' });
      const texts: string[] = [];
      watcher.on('message', ({ data }) => texts.push(data.toString('latin1', 0, 20)));
      await watcher.join('room');
      const [halves, blocked] = await testClients(again!.daemon, 'halves', 'blocked');
      await blocked!.joined('flood');
      blocked!.socket.pause();
      const ours = await clientOf(again!.daemon, { name: 'ours' });
      for (let i = 0; i < 200; i++) ours.multicast('flood', Buffer.alloc(100_000));
      await ours.flushed();
      const frame = halves!.encode('room', 'in two halves');
      halves!.send(frame.subarray(0, 30));
      const told = noticeOf(ours);
      const draining2 = again!.daemon.drain();
      await told;
      await delay(500);
      halves!.send(frame.subarray(30));
      const later = halves!.encode('room', 'half at the end');
      // The last one is whole only when the daemon has ended its side.
      const ended = new Promise<void>((resolve) => halves!.socket.once('end', () => resolve()));
      halves!.send(later.subarray(0, 10));
      halves!.send(later.subarray(10));
      const tookMs = await timed(Promise.all([draining2, ended]));
      expect(tookMs).toBeLessThan(3000 + 2000 + 4000);
      await eventually(() => texts.length >= 2, 'both messages');
      expect(texts).toEqual(['in two halves', 'half at the end']);
      const line = lastLine(again!);
      expect(line).toMatchObject({ msg: 'daemon stopped', bytesNotOrdered: 0, packetsUnstable: 0 });
      expect(line['messagesNotDelivered']).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'what a client that does not move sends until the end of its connection is ordered',
    async () => {
      const [first, second] = await drainCluster(2, { DrainTime: 2000 });
      const watcher = await clientOf(second!.daemon, { name: 'watch' });
      let got = 0;
      watcher.on('message', () => got++);
      await watcher.join('room');
      const stays = await clientOf(first!.daemon, { name: 'stays' });
      let sent = 0;
      const timer = setInterval(() => {
        if (stays.closed) return;
        stays.multicast('room', `${sent++}`);
      }, 2);
      onTestFinished(() => clearInterval(timer));
      const end = closed(stays);
      const draining2 = first!.daemon.drain();
      await end;
      clearInterval(timer);
      await draining2;
      await delay(500);
      // What it sent behind the last that reached the kernel is its own: the library has told it that the connection ended.
      expect(sent - got).toBeLessThanOrEqual(2);
      expect(got).toBeGreaterThan(300);
      expect(lastLine(first!)).toMatchObject(CUT_NOTHING);
    },
    TIMEOUT_MS,
  );
});

describe('skein drain', () => {
  const TOKEN = 'a'.repeat(20);
  const ADMIN = 'b'.repeat(20);

  async function overHttp(): Promise<{ daemons: readonly DrainedDaemon[]; tokenFile: string; url: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'skein-token-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const tokenFile = join(folder, 'tokens');
    writeFileSync(tokenFile, `# who\n${TOKEN}\n${ADMIN} admin\n`, { mode: 0o600 });
    const daemons = await drainCluster(2, { DrainTime: 20_000 }, () => ({
      httpListen: '127.0.0.1:0',
      httpTokenFile: tokenFile,
    }));
    return { daemons, tokenFile, url: daemons[0]!.daemon.httpUrls[0]! };
  }

  it(
    'waits for the end, and tells what was cut off',
    async () => {
      const { daemons, tokenFile, url } = await overHttp();
      const session = await clientOf(daemons[0]!.daemon, { name: 'moves' });
      session.once('drain', () => void session.close());
      const { code, stdout, stderr } = await skein(['drain', 'd1', '--http', url, '--token-file', tokenFile, '--wait']);
      expect([code, stdout.trim(), stderr]).toEqual([0, 'd1 has ended: 1 client moved, nothing was cut off', '']);
      await daemons[0]!.daemon.closed;
    },
    TIMEOUT_MS,
  );

  it(
    'returns at once without --wait; a second one joins the first; --at-once ends the waiting',
    async () => {
      const { daemons, tokenFile, url } = await overHttp();
      const stays = await clientOf(daemons[0]!.daemon, { name: 'stays' });
      const run = (...args: readonly string[]) =>
        skein(['drain', 'd1', '--http', url, '--token-file', tokenFile, ...args]);
      expect(await run()).toMatchObject({ code: 0, stdout: 'd1 drains, and will end\n' });
      expect(JSON.parse((await run('--json')).stdout)).toEqual({
        ...{ daemon: 'd1', draining: true, atOnce: false, wasDraining: true },
      });
      expect(stays.closed).toBe(false);
      const atOnce = await run('--at-once', '--wait', '--json');
      expect(JSON.parse(atOnce.stdout)).toMatchObject({ daemon: 'd1', stopped: true, sessionsMoved: 0 });
      await daemons[0]!.daemon.closed;
    },
    TIMEOUT_MS,
  );

  it(
    'needs the name of that daemon, and a token with the right',
    async () => {
      const { daemons, url, tokenFile } = await overHttp();
      const at = ['--http', url];
      const other = await skein(['drain', 'd2', ...at, '--token-file', tokenFile]);
      expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('this daemon is d1')]);
      const reader = await skein(['drain', 'd1', ...at], '', { SKEIN_HTTP_TOKEN: TOKEN });
      expect([reader.code, reader.stderr]).toEqual([1, expect.stringContaining('no right admin')]);
      const nobody = await skein(['drain', 'd1', ...at], '', { SKEIN_HTTP_TOKEN: '' });
      expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('needs a token')]);
      const drain = `${url}drain?daemon=d1`;
      const authorization = { authorization: `Bearer ${ADMIN}` };
      // Neither a look at the address, nor a page of another site ends a daemon.
      expect((await get(drain, { headers: authorization })).status).toBe(405);
      expect(
        (await get(drain, { method: 'POST', headers: { ...authorization, 'sec-fetch-site': 'cross-site' } })).status,
      ).toBe(403);
      expect((await get(`${url}status.json`, { method: 'POST', headers: authorization })).status).toBe(405);
      expect((await get(`${url}status.json`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
      expect((await get(`${url}readyz`)).status).toBe(200);
      await testClient(daemons[0]!.daemon, 'still');
    },
    TIMEOUT_MS,
  );

  it('is refused where there are no tokens, and unknown daemons do not answer', async () => {
    const daemon = await testDaemon({ httpListen: '127.0.0.1:0' });
    const refused = await skein(['drain', daemon.name, '--http', daemon.httpUrls[0]!]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('needs HttpTokenFile')]);
    const nobody = await skein(['drain', 'x', '--http', `http://127.0.0.1:${await freePort()}`]);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('no daemon answers')]);
    await testClient(daemon, 'still');
  });
});

describe('signals', () => {
  it(
    'SIGTERM drains, SIGINT does not let clients move, and a second signal ends it at once',
    async () => {
      const cluster = await loopbackCluster(3, { ...PATIENT_TIMERS, DrainTime: 60_000 });
      onTestFinished(() => cluster.remove());
      const daemons = cluster.daemons.map(
        ({ command }) => new DaemonProcess({ ...command, arguments: ['--no-unix-socket', '--log-level', 'info'] }),
      );
      onTestFinished(async () => void (await Promise.all(daemons.map((daemon) => daemon.retire()))));
      await Promise.all(daemons.map((daemon) => daemon.start()));
      const sessions = await Promise.all(
        cluster.addresses.map((address, i) => connect({ address, name: `s${i}`, connectTimeoutMs: 20_000 })),
      );
      for (const session of sessions) {
        session.on('error', () => undefined);
        onTestFinished(() => session.destroy());
      }
      // One ring: a view with all three.
      await Promise.all(sessions.map((session) => session.join('probes')));
      for (let count = 0; count < 3; ) {
        const event = await sessions[2]!.receive();
        if (event.kind === 'membership') count = event.members.length;
      }
      const [moves, , stays] = sessions;
      const told = noticeOf(moves!);
      const stopped = daemons[0]!.stop();
      expect((await told).addresses).toHaveLength(2);
      await moves!.close();
      expect(await timed(stopped)).toBeLessThan(20_000);
      expect(daemons[0]!.unexpectedEnds).toEqual([]);
      let isTold = false;
      sessions[1]!.on('drain', () => {
        isTold = true;
      });
      expect(await timed(daemons[1]!.interrupt())).toBeLessThan(20_000);
      expect(isTold).toBe(false);
      expect(stays!.closed).toBe(false);
    },
    TIMEOUT_MS,
  );
});
