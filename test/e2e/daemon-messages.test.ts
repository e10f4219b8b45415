/** What every client of one daemon sees, in every threading mode and with clients on different delivery workers. */
import { describe, expect, it } from 'vitest';
import type { StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { testClient, testClients, testDaemon } from './support/daemons.ts';
import {
  AGREED,
  CAUSAL,
  changedMember,
  FIFO,
  RELIABLE,
  SAFE,
  SELF_DISCARD,
  SELF_LEAVE,
  UNRELIABLE,
  VIEW_DISCONNECT,
  VIEW_JOIN,
  VIEW_LEAVE,
} from './support/wire-frames.ts';

const LAYOUTS: Readonly<Record<string, StartDaemonOptions>> = {
  shared: { threadingMode: 'shared' },
  'shared-network': { threadingMode: 'shared-network' },
  dedicated: { threadingMode: 'dedicated' },
  inline: { threadingMode: 'inline' },
  'dedicated, two delivery workers': { threadingMode: 'dedicated', deliveryWorkers: 2 },
  'shared, two delivery workers': { threadingMode: 'shared', deliveryWorkers: 2 },
};

const SENDERS = 4;
const MESSAGES_EACH = 400;

describe.each(Object.entries(LAYOUTS))('%s', (_, layout) => {
  it('informs members of a group of joins, leaves and disconnects', async () => {
    const daemon = await testDaemon(layout);
    const [alice, bob, carol] = await testClients(daemon, 'alice', 'bob', 'carol');
    await alice!.joined('room');
    const own = await bob!.joined('room');
    expect(own).toMatchObject({ type: VIEW_JOIN, sender: 'room', groups: ['#alice#localhost', '#bob#localhost'] });
    expect(changedMember(own)).toBe('#bob#localhost');
    expect(await alice!.frame()).toEqual(own);
    await carol!.joined('room');
    await alice!.frame();
    await bob!.frame();

    bob!.leave('room');
    expect(await bob!.frame()).toMatchObject({ type: SELF_LEAVE, sender: 'room', groups: [] });
    const left = await alice!.frame();
    expect(left).toMatchObject({ type: VIEW_LEAVE, groups: ['#alice#localhost', '#carol#localhost'] });
    expect(changedMember(left)).toBe('#bob#localhost');
    expect(await carol!.frame()).toEqual(left);

    carol!.close();
    const gone = await alice!.frame();
    expect(gone).toMatchObject({ type: VIEW_DISCONNECT, groups: ['#alice#localhost'] });
    expect(changedMember(gone)).toBe('#carol#localhost');
    expect(await bob!.barrier()).toEqual([]);
  });

  it('delivers to groups, private names and lists of both, once, and respects SELF_DISCARD', async () => {
    const daemon = await testDaemon(layout);
    const [alice, bob, carol] = await testClients(daemon, 'alice', 'bob', 'carol');
    for (const group of ['g1', 'g2']) await bob!.joined(group);
    await alice!.joined('g1');
    await bob!.frame();

    alice!.multicast('g1', 'with me');
    alice!.multicast('g1', 'without me', AGREED | SELF_DISCARD);
    alice!.multicast(['g1', 'g2', '#bob#localhost', 'nobody'], 'list', AGREED, -7);
    alice!.multicast('#carol#localhost', 'private');
    alice!.multicast(['g2', '#alice#localhost'], 'list without me', SAFE | SELF_DISCARD);
    alice!.multicast([], 'to nobody');
    alice!.multicast('nobody', 'to an empty group');
    const toAlice = await alice!.barrier();
    const toBob = await bob!.barrier();
    const toCarol = await carol!.barrier();

    const texts = (frames: typeof toBob): readonly string[] => frames.map((frame) => frame.data.toString());
    expect(texts(toAlice)).toEqual(['with me', 'list']);
    expect(texts(toBob)).toEqual(['with me', 'without me', 'list', 'list without me']);
    expect(texts(toCarol)).toEqual(['private']);
    expect(toBob[1]!.type).toBe(AGREED | SELF_DISCARD);
    expect(toBob[2]).toMatchObject({
      sender: '#alice#localhost',
      groups: ['g1', 'g2', '#bob#localhost', 'nobody'],
      messageType: -7,
    });
  });

  it('gives all receivers one order of all messages, FIFO for each sender', async () => {
    const daemon = await testDaemon(layout);
    const names = Array.from({ length: SENDERS }, (_, i) => `sender${i}`);
    const clients = await testClients(daemon, ...names, 'watcher');
    for (const [i, client] of clients.entries()) {
      client.join('room');
      for (const member of clients.slice(0, i + 1)) await member.frame();
    }
    const services = [RELIABLE, FIFO, CAUSAL, AGREED, SAFE, UNRELIABLE];
    const senders = clients.slice(0, SENDERS);
    for (let from = 0; from < MESSAGES_EACH; from += 20) {
      for (const [s, sender] of senders.entries()) {
        const burst = Array.from({ length: 20 }, (_, i) =>
          // Agreed order is promised for CAUSAL, AGREED and SAFE; one daemon keeps it for all services.
          sender.encode('room', `${s} ${from + i}`, services[Math.floor((from + i) / 7) % services.length]!),
        );
        sender.send(Buffer.concat(burst));
      }
      if (from % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const received = await Promise.all(clients.map((client) => client.messages(SENDERS * MESSAGES_EACH)));
    for (const other of received) expect(other).toEqual(received[0]);
    for (let s = 0; s < SENDERS; s++) {
      const own = received[0]!.filter((text) => text.startsWith(`${s} `));
      expect(own).toEqual(Array.from({ length: MESSAGES_EACH }, (_, i) => `${s} ${i}`));
    }
  });

  it('serves big-endian clients like little-endian ones', async () => {
    const daemon = await testDaemon(layout);
    const java = await testClient(daemon, { name: 'java', order: 'big' });
    const alice = await testClient(daemon, 'alice');
    await alice.joined('room');
    await java.joined('room');
    await alice.frame();
    java.multicast(['room', 'other'], 'from java', FIFO, 258);
    const toAlice = await alice.frame();
    expect(await java.frame()).toEqual(toAlice);
    expect(toAlice).toMatchObject({
      type: FIFO,
      sender: '#java#localhost',
      groups: ['room', 'other'],
      messageType: 258,
    });
    alice.multicast('room', 'from alice', FIFO, 258);
    expect(await java.messages(1)).toEqual(['from alice']);
    java.leave('room');
    expect(await java.frame()).toMatchObject({ type: SELF_LEAVE });
  });

  it('delivers the largest and the smallest message', async () => {
    const daemon = await testDaemon(layout);
    const alice = await testClient(daemon, 'alice');
    const largest = Buffer.alloc(143_952 - 32, 'x');
    alice.multicast('#alice#localhost', largest);
    alice.multicast('#alice#localhost', '');
    const [large, empty] = await alice.frames(2);
    expect(large!.data.equals(largest)).toBe(true);
    expect(empty!.data.length).toBe(0);
    alice.multicast('#alice#localhost', Buffer.alloc(143_952 - 31));
    await alice.takeToEnd();
  });
});

it('spreads clients over two delivery workers', async () => {
  const daemon = await testDaemon({ threadingMode: 'dedicated', deliveryWorkers: 2 });
  const names = Array.from({ length: 60 }, (_, i) => `c${i}`);
  const clients = await testClients(daemon, ...names);
  const accepted = [0, 1].map(
    (worker) => deliveryCounters(daemon.counters, worker)[DeliveryCounter.ConnectionsAccepted],
  );
  expect(accepted[0]! + accepted[1]!).toBe(clients.length);
  expect(Math.min(...accepted.map(Number))).toBeGreaterThan(0);
});
