/** What clients of several daemons are told when the network of daemons changes: byte for byte where a recording exists. */
import { expect, it, onTestFinished } from 'vitest';
import { connect, type Membership, type ReceivedEvent, type Session } from '../../client/index.ts';
import { type LoopbackCluster, loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';
import { readCapture, recordedReply } from '../interop/capture-file.ts';
import { play } from '../interop/capture-player.ts';
import { handshakeLength, maskGroupTimes } from '../interop/mask-reply.ts';

const TIMEOUT_MS = 60_000;

async function testCluster(count: number): Promise<LoopbackCluster> {
  const cluster = await loopbackCluster(count, PATIENT_TIMERS);
  onTestFinished(() => cluster.remove());
  return cluster;
}

/** A client whose events are taken one by one. */
async function member(cluster: LoopbackCluster, daemon: number, name: string): Promise<Session> {
  const session = await connect({ address: cluster.addresses[daemon]!, name, connectTimeoutMs: 20_000 });
  onTestFinished(() => session.destroy());
  return session;
}

/** Takes events up to the first view with so many members. */
async function viewOf(session: Session, memberCount: number): Promise<readonly ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for (;;) {
    const event = await session.receive();
    events.push(event);
    if (event.kind === 'membership' && event.members.length === memberCount) return events;
  }
}

/** Resolves when all daemons of the cluster form one ring; its clients leave again. */
async function oneRing(cluster: LoopbackCluster): Promise<void> {
  const probes = await Promise.all(cluster.daemons.map((_, i) => member(cluster, i, `probe${i}`)));
  await Promise.all(probes.map((probe) => probe.join('probes')));
  await Promise.all(probes.map((probe) => viewOf(probe, probes.length)));
  await Promise.all(probes.map((probe) => probe.close()));
}

it(
  'recorded trace of three daemons, one of which terminates (16): same bytes',
  async () => {
    const cluster = await testCluster(3);
    await Promise.all(cluster.daemons.map((daemon) => daemon.start()));
    await oneRing(cluster);
    const files = ['16-network.d1-alice', '16-network.d1-zed', '16-network.d2-bob', '16-network.d3-carol'];
    const daemonOf = [0, 0, 1, 2];
    const lines = readCapture(files);
    const replies = await play(lines, {
      target: (connection) => ({ port: Number.parseInt(cluster.addresses[daemonOf[connection]!]!, 10) }),
      closing: async (connection) => {
        if (daemonOf[connection] === 2) await cluster.daemons[2]!.stop();
      },
    });
    for (const [connection, file] of files.entries()) {
      const expected = recordedReply(lines, connection);
      const start = handshakeLength(expected);
      const actual = replies[connection]!.bytes;
      expect(maskGroupTimes(actual, start).toString('hex'), file).toBe(maskGroupTimes(expected, start).toString('hex'));
    }
  },
  TIMEOUT_MS,
);

it(
  'two partitions that merge get one network view with a VS set for each, and no signal',
  async () => {
    const cluster = await testCluster(3);
    const [d1, d2, d3] = cluster.daemons;
    await d3!.start();
    const carol = await member(cluster, 2, 'carol');
    await carol.join('room');
    const alone = await viewOf(carol, 1);
    // Stopped by SIGSTOP, it takes no part while the others form a ring of their own.
    d3!.pause();
    await Promise.all([d1!.start(), d2!.start()]);
    const alice = await member(cluster, 0, 'alice');
    const bob = await member(cluster, 1, 'bob');
    await alice.join('room');
    await bob.join('room');
    const apart = await Promise.all([viewOf(alice, 2), viewOf(bob, 2)]);
    d3!.resume();

    const merged = await Promise.all([alice, bob, carol].map((session) => viewOf(session, 3)));
    for (const events of merged) expect(events.map((event) => event.kind)).toEqual(['membership']);
    const [toAlice, toBob, toCarol] = merged.map((events) => events[0] as Membership);
    const members = ['#alice#d1', '#bob#d2', '#carol#d3'];
    for (const view of [toAlice!, toBob!, toCarol!]) {
      expect(view).toMatchObject({ group: 'room', cause: 'network', members });
      expect(view.viewId.index).toBe(1);
      expect(view.viewId.equals(toAlice!.viewId)).toBe(true);
      expect(view.vsSets).toEqual(toAlice!.vsSets);
      const older = [alone, ...apart].map((events) => (events.at(-1) as Membership).viewId.time);
      expect(view.viewId.time).toBeGreaterThan(Math.max(...older));
    }
    expect([...toAlice!.vsSets].sort()).toEqual([['#alice#d1', '#bob#d2'], ['#carol#d3']]);
    expect(toAlice!.vsSets[toAlice!.ownVsSet]).toEqual(['#alice#d1', '#bob#d2']);
    expect(toBob!.ownVsSet).toBe(toAlice!.ownVsSet);
    expect(toCarol!.vsSets[toCarol!.ownVsSet]).toEqual(['#carol#d3']);

    // A group without members on other daemons gets no view, and messages pass at once.
    alice.multicast('room', 'together', { service: 'safe' });
    for (const session of [alice, bob, carol])
      expect(await session.receive()).toMatchObject({ kind: 'message', service: 'safe', sender: '#alice#d1' });
  },
  TIMEOUT_MS,
);
