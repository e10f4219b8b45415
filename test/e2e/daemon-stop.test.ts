/** A polite stop of real daemons: what clients had flushed is ordered, and reaches the members here and at the other daemons. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, type DaemonAddress, type Service, type Session } from '../../client/index.ts';
import { DaemonProcess } from '../cluster/daemon-process.ts';
import { type LoopbackCluster, loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';
import { Cli } from './cli-process.ts';
import { deliveryCount, freePort, testDaemon } from './support/daemons.ts';

const TIMEOUT_MS = 90_000;
const MESSAGES = 40_000;
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

  /** All are there, or what came within 20 s. */
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

/** Sends without a pause, and resolves when the kernel has it all. */
async function flush(sender: Session, count: number, service: Service): Promise<void> {
  const target = sender.target('room', { service });
  const data = Buffer.alloc(BYTES);
  for (let i = 0; i < count; i++) {
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
      await flush(sender, MESSAGES, service);
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
