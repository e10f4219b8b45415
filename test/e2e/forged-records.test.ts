/** A member of the cluster puts forged records into the order: the other daemons drop them, log it once, and keep serving. */

import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { connect, type Session } from '../../client/index.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { writeName } from '../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_SENDER_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { SubmitPort } from '../../workers/delivery/submit-port.ts';
import { loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';
import { eventually, orderingCount } from './support/daemons.ts';

type Run = Parameters<SubmitPort['run']>;
const TIMEOUT_MS = 60_000;

/** Each makes one record out of a message of the faulty daemon's client. */
const FORGERIES: readonly (readonly [string, (run: Run, frame: Buffer) => void])[] = [
  ['2^31 - 1 groups', (_, frame) => frame.writeInt32LE(0x7fff_ffff, FRAME_GROUP_COUNT_OFFSET)],
  ['-1 groups', (_, frame) => frame.writeInt32LE(-1, FRAME_GROUP_COUNT_OFFSET)],
  ['data of 2^31 - 1 bytes', (_, frame) => frame.writeInt32LE(0x7fff_ffff, FRAME_DATA_LENGTH_OFFSET)],
  ['data of -1 bytes', (_, frame) => frame.writeInt32LE(-1, FRAME_DATA_LENGTH_OFFSET)],
  ['a sender of another daemon', (_, frame) => writeName(frame, FRAME_SENDER_OFFSET, '#ann#d1')],
  ['no sender', (_, frame) => writeName(frame, FRAME_SENDER_OFFSET, '')],
  ['a view', (_, frame) => frame.writeUInt32LE((frame.readUInt32LE(0) | 0x1100) >>> 0, 0)],
  ['a big-endian type', (_, frame) => frame.writeUInt32LE(0x10, 0)],
  ['a hint of other bits', (_, frame) => frame.writeUInt32LE(1, 40)],
  ['2^32 - 1 frames', (run) => (run[3] = 0xffff_ffff)],
  ['no frames', (run) => (run[3] = 0)],
  ['another hash', (run) => (run[4] = 5)],
  ['another service', (run) => (run[1] = 0x20)],
  ['unknown flags', (run) => (run[2] = 0x8000)],
];

it(
  'are dropped by all daemons, counted, logged once, and affect no client',
  async () => {
    const cluster = await loopbackCluster(3, PATIENT_TIMERS);
    onTestFinished(() => cluster.remove());
    await Promise.all(cluster.daemons.slice(0, 2).map((daemon) => daemon.start()));
    const faulty = await startDaemon({
      configFile: join(cluster.folder, 'spread.conf'),
      name: 'd3',
      threadingMode: 'inline',
      logLevel: 'silent',
      unixSocketDir: null,
    });
    onTestFinished(() => faulty.stop({ drainTimeoutMs: 100 }));
    const clients = await Promise.all(
      cluster.addresses.map((address, i) => connect({ address, name: `c${i}`, connectTimeoutMs: 20_000 })),
    );
    onTestFinished(() => {
      for (const client of clients) client.destroy();
    });
    await Promise.all(clients.map((client) => client.join('room')));
    await Promise.all(clients.map((client) => membersAre(client, 3)));

    const honestIncarnation = SubmitPort.prototype.run;
    const honestJoin = SubmitPort.prototype.join;
    onTestFinished(() => {
      SubmitPort.prototype.run = honestIncarnation;
      SubmitPort.prototype.join = honestJoin;
    });
    const refused = (): number => orderingCount(faulty, 'RecordsRefused');
    for (const [what, forge] of FORGERIES) {
      const before = refused();
      SubmitPort.prototype.run = function (...run: Run): boolean {
        const frame = Buffer.from(run[5].subarray(run[6], run[7]));
        forge(run, frame);
        [run[5], run[6], run[7]] = [frame, 0, frame.length];
        return honestIncarnation.apply(this, run);
      };
      clients[2]!.multicast('room', 'forged');
      await eventually(() => refused() > before, what);
    }
    SubmitPort.prototype.run = honestIncarnation;
    for (const [group, member] of [
      ['', '#c2#d3'],
      ['room', '#ann#d1'],
      ['room', ''],
      ['#c0#d1', '#c2#d3'],
    ] as const) {
      const before = refused();
      SubmitPort.prototype.join = function (session): boolean {
        return honestJoin.call(this, session, group, member, true);
      };
      // This join never leads to a view.
      clients[2]!.join(`other${before}`).catch(() => {});
      await eventually(() => refused() > before, `a join of "${group}" by "${member}"`);
    }
    SubmitPort.prototype.join = honestJoin;

    for (const client of clients) client.multicast('room', 'honest');
    for (const client of clients) {
      for (let left = clients.length; left > 0; left--) {
        const event = await client.receive();
        expect(event.kind === 'message' ? event.data.toString() : event.kind).toBe('honest');
      }
    }
    await eventually(
      () => cluster.daemons.slice(0, 2).every((daemon) => daemon.stderr.includes('a malformed record')),
      'log',
    );
    for (const daemon of cluster.daemons.slice(0, 2)) {
      expect(daemon.unexpectedEnds).toEqual([]);
      expect(daemon.stderr.split('a malformed record')).toHaveLength(2);
      expect(daemon.stderr).toContain('"peerName":"d3"');
    }
  },
  TIMEOUT_MS,
);

async function membersAre(client: Session, count: number): Promise<void> {
  for (;;) {
    const event = await client.receive();
    if (event.kind === 'membership' && event.members.length === count) return;
  }
}
