/** What a delivery agent refuses under `AccessFile` for every kind of request, the clients a rule applies to, and changing rules. */
import { describe, expect, it } from 'vitest';
import type { TransportPeer } from '../../workers/delivery/client-transport.ts';
import { AGREED, encodeFrame, KILL, LEAVE, SELF_DISCARD } from '../e2e/support/wire-frames.ts';
import type { MemoryClient } from './memory-daemon.ts';
import {
  aliceAndBob,
  CAUSED_BY_JOIN,
  daemonWith,
  MAY_SEND_OPEN,
  messages,
  REJECT,
  received,
  SERVICES,
  SUBGROUP_CAST,
  setRights,
} from './support/rights-daemon.ts';

describe('a message', () => {
  it.each(
    Object.entries(SERVICES).flatMap(([service, bit]) =>
      [0, SELF_DISCARD, SUBGROUP_CAST].flatMap((flags) =>
        (['little', 'big'] as const).map((order) => ({ service, type: (bit | flags) >>> 0, order })),
      ),
    ),
  )('$service, type $type, of a $order-endian client', async ({ type, order }) => {
    const { daemon, alice, bob, send } = await aliceAndBob();
    send({ type, groups: ['open'], data: 'one', order });
    send({ type, groups: ['closed'], data: 'two', messageType: -3, order });
    send({ type, groups: ['open'], data: 'three', order });
    expect(messages(received(daemon, bob))).toEqual(['one', 'three']);
    expect(received(daemon, alice)).toEqual({
      frames: [],
      rejects: [
        {
          ...{ type: REJECT | (type & SELF_DISCARD), oldType: type, sender: '#alice#d', groups: ['closed'] },
          ...{ originator: '#alice#d', messageType: -3, data: 'two' },
        },
      ],
    });
    expect([daemon.count('MessagesForbidden'), daemon.count('PrivatesForbidden')]).toEqual([1, 0]);
    expect([daemon.count('FramesReceived'), daemon.count('RequestsRejected')]).toEqual([3, 0]);
  });

  it('of a run is refused with each other message of it', async () => {
    const { daemon, alice, bob } = await aliceAndBob();
    const frames = ['a', 'bb', 'ccc'].map((data) => alice.message('closed', data));
    alice.transport.send(Buffer.concat([alice.message('open', '1'), ...frames, alice.message('open', '2')]));
    expect(messages(received(daemon, bob))).toEqual(['1', '2']);
    expect(received(daemon, alice).rejects.map(({ data }) => data)).toEqual(['a', 'bb', 'ccc']);
    expect(daemon.count('MessagesForbidden')).toBe(3);
  });

  it('that arrives in pieces is one message', async () => {
    const { daemon, alice, bob } = await aliceAndBob();
    const bytes = Buffer.concat([alice.message('closed', 'no'), alice.message('open', 'yes')]);
    for (let i = 0; i < bytes.length; i++) alice.transport.send(bytes.subarray(i, i + 1));
    expect(messages(received(daemon, bob))).toEqual(['yes']);
    expect(received(daemon, alice).rejects.map(({ data }) => data)).toEqual(['no']);
  });

  it('of the largest size comes back whole', async () => {
    const { daemon, alice, send } = await aliceAndBob();
    const data = Buffer.alloc(144_000 - 48 - 32, 0x61);
    send({ type: AGREED, groups: ['closed'], data });
    const { rejects } = received(daemon, alice);
    expect(rejects.map((reject) => reject.data === data.toString())).toEqual([true]);
  });

  it('to no group reaches nobody and is not refused', async () => {
    const { daemon, alice, send } = await aliceAndBob('unix private bob');
    send({ type: AGREED, groups: [], data: 'x' });
    expect(received(daemon, alice)).toEqual({ frames: [], rejects: [] });
    expect(daemon.count('RunsSubmitted')).toBe(1);
  });
});

describe('requests', () => {
  it('a join is refused with a REJECT, and the client stays out', async () => {
    const daemon = await daemonWith('anyone join open send *');
    const alice = daemon.login('alice');
    alice.join('closed');
    alice.join('open');
    const { frames, rejects } = received(daemon, alice);
    expect(rejects).toEqual([
      {
        ...{ type: REJECT, oldType: CAUSED_BY_JOIN, sender: '#alice#d', groups: ['closed'] },
        ...{ originator: '#alice#d', messageType: 0, data: '' },
      },
    ]);
    expect(frames.map(({ sender }) => sender)).toEqual(['open']);
    alice.transport.send(Buffer.concat([alice.message('closed', 'no'), alice.message('open', 'yes')]));
    expect(messages(received(daemon, alice))).toEqual(['yes']);
    expect([daemon.count('JoinsForbidden'), daemon.count('RequestsRejected'), daemon.count('JoinsRefused')]).toEqual([
      1, 1, 0,
    ]);
  });

  it('a join of an illegal name is refused for its name', async () => {
    const daemon = await daemonWith('anyone send *');
    const alice = daemon.login('alice');
    for (const group of ['#alice#d', 'a b', '']) alice.join(group);
    expect(received(daemon, alice).rejects).toHaveLength(3);
    expect([daemon.count('JoinsForbidden'), daemon.count('RequestsRejected')]).toEqual([0, 3]);
  });

  it('joining and sending are separate rights', async () => {
    const daemon = await daemonWith('anyone join a send b');
    const alice = daemon.login('alice');
    for (const group of ['a', 'b']) alice.join(group);
    for (const group of ['a', 'b']) alice.transport.send(alice.message(group, group));
    expect(received(daemon, alice).rejects.map(({ oldType, groups }) => [oldType, groups])).toEqual([
      [CAUSED_BY_JOIN, ['b']],
      [AGREED, ['a']],
    ]);
  });

  it('a leave, a KILL and closing the connection need no right', async () => {
    const daemon = await daemonWith('anyone join a b');
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => daemon.login(name)) as [
      MemoryClient,
      MemoryClient,
      MemoryClient,
    ];
    for (const client of [alice, bob, carol]) for (const group of ['a', 'b']) client.join(group);
    daemon.settle();
    for (const client of [alice, bob, carol]) client.take();
    // What is left of the groups that they may not join any more: rights-review.test.ts.
    setRights(daemon, 'anyone private nobody');
    alice.transport.send(encodeFrame({ type: LEAVE, sender: alice.privateName, groups: ['a'] }));
    bob.transport.send(encodeFrame({ type: KILL, sender: bob.privateName, groups: [bob.privateName] }));
    carol.transport.hangUp();
    const { frames, rejects } = received(daemon, alice);
    expect(rejects).toEqual([]);
    const kinds = frames.map(({ type, sender }) => `${(type & 0x0f00).toString(16)} ${sender}`);
    expect(kinds).toContain('200 a');
    expect(kinds).toContain('200 b');
    expect([daemon.count('SessionsClosed'), daemon.count('RequestsRejected')]).toEqual([2, 0]);
  });
});

describe('the client is identified by', () => {
  const unix = {};
  it.each<readonly [string, Partial<TransportPeer>, boolean]>([
    ['address 10.0.0.0/8', { address: '10.255.0.1' }, true],
    ['address 10.0.0.0/8', { address: '::ffff:10.255.0.1' }, true],
    ['address 10.0.0.0/8', { address: '11.0.0.1' }, false],
    ['address 10.0.0.0/8', unix, false],
    ['address 0.0.0.0/0', { address: '11.0.0.1' }, true],
    ['address 0.0.0.0/0', { address: '::1' }, false],
    ['address 0.0.0.0/0', unix, false],
    ['address ::/0', unix, false],
    ['address fe80::/10', { address: 'fe80::1%eth0' }, true],
    ['address ::1', { address: '::1' }, true],
    ['unix', unix, true],
    ['unix', { address: '127.0.0.1' }, false],
    ['unix', { address: 'gone' }, false],
    ['certificate *.example.org', { address: '10.0.0.1', certificate: 'a.example.org' }, true],
    ['certificate *.example.org', { address: '10.0.0.1', certificate: 'example.org' }, false],
    ['certificate *', { address: '10.0.0.1' }, false],
    ['certificate a address 10.0.0.0/8', { address: '10.0.0.1', certificate: 'a' }, true],
    ['certificate a address 10.0.0.0/8', { address: '11.0.0.1', certificate: 'a' }, false],
    ['user *', unix, false],
    ['user alice', unix, false],
    ['anyone', unix, true],
    ['anyone', { address: '10.0.0.1' }, true],
  ])('%s, from %j: %s', async (who, from, isAllowed) => {
    const daemon = await daemonWith(`${who} join news send news private`);
    const alice = daemon.login('alice', undefined, from);
    alice.join('news');
    for (const target of ['news', '#alice#d']) alice.transport.send(alice.message(target, target));
    const { rejects, frames } = received(daemon, alice);
    expect([rejects.length, frames.length]).toEqual(isAllowed ? [0, 3] : [3, 0]);
  });
});

describe('rules that are replaced while the daemon runs', () => {
  it('apply to the next request of every session', async () => {
    const { daemon, alice, bob, send } = await aliceAndBob();
    const results: string[] = [];
    const attempt = (): void => {
      send({ type: AGREED, groups: ['open'], data: 'o' });
      send({ type: AGREED, groups: ['closed'], data: 'c' });
      send({ type: AGREED, groups: ['open', 'closed'], data: 'b' });
      const told = received(daemon, alice).rejects.map(({ data }) => data);
      results.push(`${messages(received(daemon, bob)).join('')}/${told.join('')}`);
    };
    attempt();
    attempt();
    setRights(daemon, 'anyone join * send closed');
    attempt();
    setRights(daemon, 'anyone join * send open closed');
    attempt();
    setRights(daemon, 'anyone join *');
    attempt();
    setRights(daemon, null);
    attempt();
    setRights(daemon, MAY_SEND_OPEN);
    attempt();
    expect(results).toEqual(['o/cb', 'o/cb', 'c/ob', 'ocb/', '/ocb', 'ocb/', 'o/cb']);
  });

  it('remove nobody from a group', async () => {
    const daemon = await daemonWith('anyone join * send *');
    const alice = daemon.login('alice');
    alice.join('a');
    received(daemon, alice);
    setRights(daemon, 'anyone send *');
    alice.transport.send(alice.message('a', 'still here'));
    expect(messages(received(daemon, alice))).toEqual(['still here']);
  });
});
