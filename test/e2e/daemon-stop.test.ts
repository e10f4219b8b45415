/** An orderly stop of real daemons: flushed messages are ordered and reach members at this daemon and the others. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, type DaemonAddress, type Service, type Session } from '../../client/index.ts';
import type { ResolvedThreadingMode } from '../../workers/threading.ts';
import { DaemonProcess } from '../cluster/daemon-process.ts';
import { type LoopbackCluster, loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';
import { startDaemonProcess } from './cli-process.ts';
import { deliveryCount, freePort, testClient, testDaemon } from './support/daemons.ts';
import { AGREED, encodeFrame } from './support/wire-frames.ts';

const TIMEOUT_MS = 180_000;
const MESSAGES = 40_000;
/** Messages flushed while the daemon is paused; far fewer than fill a Unix socket's buffer of about 200 kB. */
const LAST = 400;
const BYTES = 100;

/** Counts, in order, what one sender sends to `room`. */
class Member {
  readonly session: Session;
  received = 0;
  outOfOrder = 0;
  readonly ended: Promise<unknown>;
  #watcher: (() => void) | null = null;

  constructor(session: Session) {
    this.session = session;
    session.on('message', ({ data }) => {
      if (data.readUInt32LE(0) !== this.received) this.outOfOrder++;
      this.received++;
      this.#watcher?.();
    });
    session.on('error', () => undefined);
    this.ended = new Promise((resolve) => session.once('close', resolve));
  }

  /** Waits for all of them, at most 20 s. */
  async all(count: number): Promise<number> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 20_000);
      this.#watcher = () => {
        if (this.received < count) return;
        clearTimeout(timer);
        resolve();
      };
      this.#watcher();
    });
    return this.received;
  }
}

async function session(address: string | DaemonAddress, name: string): Promise<Session> {
  const opened = await connect({ address, name, connectTimeoutMs: 20_000 });
  onTestFinished(() => opened.destroy());
  return opened;
}

async function memberAt(address: string | DaemonAddress, name: string): Promise<Member> {
  const member = new Member(await session(address, name));
  await member.session.join('room');
  return member;
}

/** Sends without a pause, and resolves when the kernel has everything. */
async function flush(sender: Session, count: number, service: Service, from = 0): Promise<void> {
  const target = sender.target('room', { service });
  const data = Buffer.alloc(BYTES);
  for (let i = from; i < count; i++) {
    data.writeUInt32LE(i);
    if (!target.send(data)) await sender.drained();
  }
  await sender.flushed();
}

async function ring(count: number): Promise<LoopbackCluster> {
  const cluster = await loopbackCluster(count, PATIENT_TIMERS);
  onTestFinished(() => cluster.remove());
  return cluster;
}

describe('a ring of three', () => {
  it.each<[Service, boolean, number]>([
    ['agreed', false, 1],
    ['safe', false, 2],
    ['fifo', true, 1],
  ])(
    `%s (Unix socket: %s, %i delivery workers): ${MESSAGES} flushed messages and SIGTERM`,
    async (service, overUnix, workers) => {
      const cluster = await ring(3);
      const port = Number.parseInt(cluster.addresses[0]!, 10);
      const { command } = cluster.daemons[0]!;
      const unix = overUnix ? ['-o', `unixSocketDir=${cluster.folder}`] : ['--no-unix-socket'];
      const threads = ['--threading-mode', 'shared-network', '--delivery-workers', String(workers)];
      const stopped = new DaemonProcess({
        ...command,
        arguments: [...unix, ...threads, '--log-level', 'warn', '--drain-timeout', '20000'],
      });
      onTestFinished(() => stopped.retire());
      await Promise.all([stopped.start(), cluster.daemons[1]!.start(), cluster.daemons[2]!.start()]);
      const address = overUnix ? { path: join(cluster.folder, String(port)) } : cluster.addresses[0]!;
      const probes = await Promise.all(
        [address, cluster.addresses[1]!, cluster.addresses[2]!].map((at, i) => session(at, `probe${i}`)),
      );
      // One ring: a view with all three.
      await Promise.all(probes.map((probe) => probe.join('probes')));
      for (const probe of probes) {
        for (let count = 0; count < 3; ) {
          const event = await probe.receive();
          if (event.kind === 'membership') count = event.members.length;
        }
      }
      const local = await memberAt(address, 'local');
      const others = [await memberAt(cluster.addresses[1]!, 'bob'), await memberAt(cluster.addresses[2]!, 'carol')];
      const sender = await session(address, 'sender');
      sender.on('error', () => undefined);
      await flush(sender, MESSAGES - LAST, service);
      // On any machine, the last messages are only in the kernel when the daemon is told to stop. The earlier ones
      // must not be, for they would leave no room.
      await local.all(MESSAGES - LAST);
      stopped.pause();
      await flush(sender, MESSAGES, service, MESSAGES - LAST);
      await stopped.stop();
      await local.ended;
      expect(await Promise.all([...others.map((other) => other.all(MESSAGES)), local.received])).toEqual([
        MESSAGES,
        MESSAGES,
        MESSAGES,
      ]);
      expect([...others, local].map(({ outOfOrder }) => outOfOrder)).toEqual([0, 0, 0]);
    },
    TIMEOUT_MS,
  );
});

describe('all daemons of a ring, stopped at once', () => {
  const EACH = 5_000;

  /** What each sender sent, at one subscriber. */
  class Subscriber {
    readonly counts = new Map<string, number>();
    readonly ended: Promise<unknown>;
    #whole = 0;

    constructor(session: Session, senders: number, whole: () => void) {
      session.on('message', ({ sender, data }) => {
        const next = this.counts.get(sender) ?? 0;
        // The first numbers show that every sender is heard everywhere.
        if (data.readUInt32LE(0) !== next) return;
        this.counts.set(sender, next + 1);
        if (next === 0 && ++this.#whole === senders) whole();
      });
      session.on('error', () => undefined);
      this.ended = new Promise((resolve) => session.once('close', resolve));
    }
  }

  // Where only one daemon has work, the others finish long before it. Each message of another service than the one
  // before is a packet of its own, so the work takes a while.
  it.each<readonly [string, readonly Service[], number]>([
    ['one service, at each of them', ['agreed'], 3],
    ['mixed services, at each of them', ['agreed', 'safe', 'fifo'], 3],
    ['mixed services, at one of them', ['agreed', 'safe'], 1],
  ])(
    `lose none of ${EACH} flushed messages of %s`,
    async (_, services, busy) => {
      const cluster = await ring(3);
      const daemons = cluster.daemons.map(
        ({ command }) =>
          new DaemonProcess({
            ...command,
            arguments: ['--no-unix-socket', '--log-level', 'warn', '--drain-timeout', '60000'],
          }),
      );
      onTestFinished(async () => void (await Promise.all(daemons.map((daemon) => daemon.retire()))));
      await Promise.all(daemons.map((daemon) => daemon.start()));
      const senders = await Promise.all(cluster.addresses.map((at, i) => session(at, `sender${i}`)));
      for (const sender of senders) sender.on('error', () => undefined);
      const together: Promise<void>[] = [];
      const subscribers: Subscriber[] = [];
      for (const [i, at] of cluster.addresses.entries()) {
        const member = await session(at, `member${i}`);
        together.push(new Promise((resolve) => subscribers.push(new Subscriber(member, 3, resolve))));
        await member.join('room');
      }
      // Number 0 of each sender is repeated until every subscriber has it from all senders, which proves one ring.
      const greeting = setInterval(() => {
        for (const sender of senders) sender.multicast('room', Buffer.alloc(BYTES));
      }, 50);
      await Promise.all(together);
      clearInterval(greeting);
      const targets = senders.map((sender) => services.map((service) => sender.target('room', { service })));
      await Promise.all(
        senders.slice(0, busy).map(async (sender, s) => {
          for (let i = 1; i <= EACH; i++) {
            const data = Buffer.alloc(BYTES);
            data.writeUInt32LE(i);
            if (!targets[s]![i % services.length]!.send(data)) await sender.drained();
          }
          await sender.flushed();
        }),
      );
      await Promise.all(daemons.map((daemon) => daemon.stop()));
      await Promise.all(subscribers.map(({ ended }) => ended));
      const all = senders.map(({ privateName }, s) => [privateName, s < busy ? EACH + 1 : 1]);
      for (const { counts } of subscribers) expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(all));
      expect(daemons.map(({ stderr }) => stderr).join('')).not.toContain('drain time is over');
    },
    TIMEOUT_MS,
  );
});

/** A message of a daemon to itself comes back only when the ring passes the token. */
async function tokenIsAway(probe: Session): Promise<void> {
  const events = probe[Symbol.asyncIterator]();
  let next = events.next();
  for (let isHere = true; isHere; ) {
    probe.multicast(probe.privateName, 'is the token here?');
    isHere = await Promise.race([next.then(() => true), delay(200, false)]);
    if (isHere) next = events.next();
  }
  next.catch(() => undefined);
}

describe('a ring that cannot order in time', () => {
  it(
    'is named in the log of the daemon that ends, with what was not ordered',
    async () => {
      const cluster = await ring(2);
      const log = join(cluster.folder, 'ended.log');
      const stopped = new DaemonProcess({
        ...cluster.daemons[0]!.command,
        arguments: ['--no-unix-socket', '--log-level', 'warn', '--drain-timeout', '500', '-o', `eventLogFile=${log}`],
      });
      onTestFinished(() => stopped.retire());
      await Promise.all([stopped.start(), cluster.daemons[1]!.start()]);
      const probes = await Promise.all(cluster.addresses.map((address, i) => session(address, `probe${i}`)));
      await Promise.all(probes.map((probe) => probe.join('probes')));
      for (let count = 0; count < 2; ) {
        const event = await probes[0]!.receive();
        if (event.kind === 'membership') count = event.members.length;
      }
      const sender = await session(cluster.addresses[0]!, 'sender');
      sender.on('error', () => undefined);
      cluster.daemons[1]!.pause();
      await tokenIsAway(probes[0]!);
      await flush(sender, LAST, 'safe');
      await stopped.stop();
      const lines = readFileSync(log, 'utf8');
      expect(lines).toMatch(
        /"bytes":\d+,"msg":"drain time is over: requests of clients were accepted and are not ordered"/,
      );
    },
    TIMEOUT_MS,
  );
});

describe.each<ResolvedThreadingMode>(['shared', 'shared-network', 'dedicated', 'inline'])(
  'one daemon, %s',
  (threadingMode) => {
    it.each(['TCP', 'Unix'])(
      'delivers what was flushed over %s before the stop, and no connection is reset',
      async (kind) => {
        const folder = mkdtempSync(join(tmpdir(), 'skein-stop-'));
        onTestFinished(() => rmSync(folder, { recursive: true }));
        const port = await freePort();
        const daemon = await testDaemon({ threadingMode, port, unixSocketDir: folder });
        const address = kind === 'TCP' ? { host: '127.0.0.1', port } : { path: join(folder, String(port)) };
        const member = await memberAt(address, 'member');
        const sender = await session(address, 'sender');
        const senderEnd = new Promise<unknown>((resolve) => sender.once('close', resolve));
        await flush(sender, 10_000, 'agreed');
        await daemon.stop({ drainTimeoutMs: 20_000 });
        // Everything arrives before the connection ends, and it ends without a reset.
        const [senderError, memberError] = await Promise.all([senderEnd, member.ended]);
        expect([member.received, member.outOfOrder]).toEqual([10_000, 0]);
        for (const error of [senderError, memberError]) {
          expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' });
          expect(String((error as Error).message)).toMatch(/closed the connection/);
        }
        expect(deliveryCount(daemon, 'SessionsCutOff')).toBe(0);
      },
    );

    it('does not exceed the drain time when clients send forever, and reports what was not taken', async () => {
      const lines: string[] = [];
      const { pino } = await import('pino');
      const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
      const daemon = await testDaemon({ threadingMode, logger, logLevel: 'warn' });
      const flooder = connectSocket({ port: daemon.port!, host: '127.0.0.1', allowHalfOpen: true });
      flooder.on('error', () => undefined);
      onTestFinished(() => void flooder.destroy());
      const hello = await testClient(daemon, 'watcher');
      await hello.joined('room');
      // A raw socket: this client ignores the notice and never disconnects.
      let greeted = 0;
      flooder.on('data', (bytes) => {
        greeted += bytes.length;
      });
      flooder.write(Buffer.from('0404000105666c6f6f64', 'hex'));
      while (greeted < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      flooder.write(Buffer.concat([Buffer.from('NULL'), Buffer.alloc(86)]));
      while (greeted < 20) await new Promise((resolve) => setTimeout(resolve, 5));
      const frame = encodeFrame({
        type: AGREED,
        sender: '#flood#localhost',
        groups: ['room'],
        data: Buffer.alloc(1000),
      });
      const burst = Buffer.concat(Array.from({ length: 200 }, () => frame));
      const pour = (): void => {
        while (!flooder.destroyed && flooder.write(burst));
      };
      flooder.on('drain', pour);
      pour();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const startedMs = performance.now();
      await daemon.stop({ drainTimeoutMs: 600 });
      expect(performance.now() - startedMs).toBeLessThan(600 + 2500);
      expect(deliveryCount(daemon, 'SessionsCutOff')).toBeGreaterThan(0);
      expect(lines.join('')).toContain('clients were still sending');
    });
  },
);

describe('signals', () => {
  it('end the daemon at once when a second one comes', async () => {
    const { cli, port } = await startDaemonProcess('--drain-timeout', '600000');
    const stuck = await connect({ address: `${port}@127.0.0.1`, name: 'stuck' });
    onTestFinished(() => stuck.destroy());
    await stuck.join('room');
    stuck.pause();
    const sender = await connect({ address: `${port}@127.0.0.1`, name: 'sender' });
    onTestFinished(() => sender.destroy());
    for (let i = 0; i < 300; i++) sender.multicast('room', Buffer.alloc(100_000));
    await sender.flushed();
    cli.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(cli.process.exitCode).toBeNull();
    cli.kill('SIGTERM');
    expect((await cli.ended).code).toBe(143);
  });

  const START = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));

  /** `npm start` as npm runs it: through a shell. */
  function npmStart(port: number): ChildProcess {
    const child = spawn('npm', ['start', '--silent', '--', '--port', String(port), '--no-unix-socket'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: 'ignore',
      detached: true,
    });
    onTestFinished(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It has already ended, as it should.
      }
    });
    return child;
  }

  const listens = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connectSocket({ port, host: '127.0.0.1' });
      socket.on('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('close', () => socket.destroy());
      setTimeout(() => socket.destroy(), 500);
    });

  async function until(port: number, wanted: boolean): Promise<void> {
    const deadlineMs = Date.now() + 20_000;
    while ((await listens(port)) !== wanted) {
      if (Date.now() > deadlineMs) throw new Error(`port ${port}: ${wanted ? 'nobody listens' : 'somebody is left'}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  // A terminal sends Ctrl-C and its hang-up to the whole process group.
  it.each<[NodeJS.Signals, 'npm' | 'all']>([
    ['SIGTERM', 'npm'],
    ['SIGHUP', 'npm'],
    ['SIGKILL', 'npm'],
    ['SIGINT', 'all'],
    ['SIGHUP', 'all'],
  ])(
    'npm start leaves no process behind: %s to %s',
    async (signal, to) => {
      const port = await freePort();
      const npm = npmStart(port);
      await until(port, true);
      process.kill(to === 'npm' ? npm.pid! : -npm.pid!, signal);
      await until(port, false);
    },
    60_000,
  );

  it('npm start ends with the exit code of the daemon', async () => {
    const port = await freePort();
    const script = spawn(process.execPath, [START, '--port', String(port), '--no-unix-socket'], { stdio: 'ignore' });
    onTestFinished(() => void script.kill('SIGKILL'));
    await until(port, true);
    const second = spawn(process.execPath, [START, '--port', String(port), '--no-unix-socket'], { stdio: 'ignore' });
    expect(await once(second, 'exit')).toEqual([1, null]);
    script.kill('SIGTERM');
    expect(await once(script, 'exit')).toEqual([0, null]);
  }, 60_000);
});
