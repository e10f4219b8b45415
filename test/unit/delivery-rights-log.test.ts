/** What a delivery agent logs when `AccessFile` refuses requests, and clients that do not read its refusals. */
import { describe, expect, it } from 'vitest';
import { parseAccessFile } from '../../engine/access/access-file.ts';
import { SAFE } from '../e2e/support/wire-frames.ts';
import type { MemoryDaemon } from './memory-daemon.ts';
import { aliceAndBob, daemonWith } from './support/rights-daemon.ts';

describe('the log', () => {
  const TEXT = 'AccessFile does not allow what a client asked for';
  const told = (daemon: MemoryDaemon) =>
    daemon.lines.filter(({ message }) => message === TEXT).map(({ level, fields }) => ({ level, ...fields }));

  it('has at most one line a minute for each session and right', async () => {
    const { daemon, alice, bob, send } = await aliceAndBob('anyone join closed open');
    const attempt = (): void => {
      for (const group of ['closed', 'open', '#bob#d', '#carol#d']) send({ type: SAFE, groups: [group], data: 'x' });
      alice.join('elsewhere');
      alice.join('nowhere');
      daemon.settle();
    };
    attempt();
    attempt();
    const line = { level: 'warn', session: '#alice#d', peer: 'memory:alice', user: null };
    expect(told(daemon)).toEqual([
      { ...line, right: 'send', target: 'closed' },
      { ...line, right: 'private', target: '#bob#d' },
      { ...line, right: 'join', target: 'elsewhere' },
    ]);
    bob.transport.send(bob.message('open', 'x'));
    daemon.settle();
    expect(told(daemon).slice(3)).toEqual([
      { ...line, session: '#bob#d', peer: 'memory:bob', right: 'send', target: 'open' },
    ]);
    daemon.pass(59_000);
    attempt();
    expect(told(daemon)).toHaveLength(4);
    daemon.pass(1100);
    attempt();
    expect(told(daemon)).toHaveLength(7);
    expect([
      daemon.count('MessagesForbidden'),
      daemon.count('PrivatesForbidden'),
      daemon.count('JoinsForbidden'),
    ]).toEqual([9, 8, 8]);
  });

  it('is bounded when many sessions are refused', async () => {
    const daemon = await daemonWith('anyone join *');
    for (let i = 0; i < 100; i++) {
      const client = daemon.login(`c${i}`);
      client.transport.send(client.message('a', 'x'));
    }
    daemon.settle();
    expect([told(daemon).length, daemon.count('MessagesForbidden')]).toEqual([32, 100]);
  });
});

it('ends a client that does not read its refusals as a slow consumer', async () => {
  const daemon = await daemonWith('anyone join *');
  daemon.delivery.prepare({
    delivery: {
      ...daemon.spec.delivery,
      rights: parseAccessFile('anyone join *', 'rules').rules,
      limits: { ...daemon.spec.delivery.limits, maxSessionBytes: 50_000 },
    },
  })();
  const alice = daemon.login('alice', 1000);
  for (let i = 0; i < 200 && !alice.transport.isClosed; i++) {
    alice.transport.send(alice.message('a', Buffer.alloc(1000)));
    daemon.settle();
  }
  expect([alice.transport.isClosed, daemon.count('SlowConsumersEnded')]).toEqual([true, 1]);
});
