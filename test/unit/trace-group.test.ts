/** What the ring agent tells of a traced group, in the order of messages; that probes are found in the order; and that nobody else can speak there. */
import { describe, expect, it } from 'vitest';
import { TRACE_TARGET } from '../../engine/wire/monitor-name.ts';
import { SAFE_MESS } from '../../engine/wire/service.ts';
import type { TracedEvent } from '../../workers/watch/trace-reports.ts';
import { AGREED, encodeFrame, LEAVE, SAFE } from '../e2e/support/wire-frames.ts';
import { type MemoryClient, MemoryDaemon } from './memory-daemon.ts';

const traced = (daemon: MemoryDaemon): readonly TracedEvent[] =>
  daemon.reports.flatMap((report) => (report.kind === 'traced' ? report.events : []));

const send = (client: MemoryClient, groups: readonly string[], data: string, type = AGREED): void =>
  client.transport.send(encodeFrame({ type, sender: client.privateName, groups, data }));

describe('a traced group', () => {
  it('is told with its messages and members, and no other is', async () => {
    const daemon = await MemoryDaemon.start();
    const [alice, bob] = [daemon.login('alice'), daemon.login('bob')];
    send(alice, ['news'], 'before');
    daemon.settle();
    daemon.orderRing({ kind: 'trace', id: 1, group: 'news', hasData: false });
    alice.join('news');
    bob.join('news');
    bob.join('other');
    send(alice, ['news'], 'one');
    send(alice, ['other'], 'no');
    send(alice, ['newss'], 'no');
    send(bob, ['other', 'news'], 'two', SAFE);
    bob.transport.send(encodeFrame({ type: LEAVE, sender: bob.privateName, groups: ['news'] }));
    daemon.settle();
    alice.transport.abort();
    daemon.pass(50);
    const events = traced(daemon);
    expect(events.map(({ kind }) => kind)).toEqual(['join', 'join', 'message', 'message', 'leave', 'disconnect']);
    expect(events[0]).toMatchObject({ member: '#alice#d', members: 1, origin: 0 });
    expect(events[2]).toMatchObject({ sender: '#alice#d', bytes: 3, targets: 1, service: AGREED, data: null });
    expect(events[3]).toMatchObject({ sender: '#bob#d', bytes: 3, targets: 2, service: SAFE_MESS });
    expect(events[5]).toMatchObject({ member: '#alice#d', members: 0 });
    const records = events.map(({ record }) => record);
    expect(records).toEqual(records.toSorted((a, b) => a - b));
  });

  it('is told with contents on request, cut at 1024 bytes, and no more when the trace ends', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice');
    daemon.orderRing({ kind: 'trace', id: 2, group: 'news', hasData: true });
    send(alice, ['news'], 'x'.repeat(3000));
    daemon.settle();
    daemon.orderRing({ kind: 'trace', id: 1, group: null, hasData: false });
    send(alice, ['news'], 'y');
    daemon.settle();
    daemon.orderRing({ kind: 'trace', id: 2, group: null, hasData: false });
    send(alice, ['news'], 'z');
    daemon.settle();
    const told = traced(daemon).map((event) => (event.kind === 'message' ? event : null));
    expect(told.map((event) => event!.bytes)).toEqual([3000, 1]);
    expect(Buffer.from(told[0]!.data!, 'base64').toString()).toBe('x'.repeat(1024));
  });

  it('is bounded: what is too much is counted', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice');
    daemon.orderRing({ kind: 'trace', id: 1, group: 'news', hasData: false });
    const frames = Array.from({ length: 700 }, () =>
      encodeFrame({ type: AGREED, sender: alice.privateName, groups: ['news'], data: '' }),
    );
    alice.transport.send(Buffer.concat(frames));
    daemon.settle();
    const missed = daemon.reports.reduce((sum, report) => sum + (report.kind === 'traced' ? report.missed : 0), 0);
    expect(missed).toBeGreaterThan(0);
    expect(traced(daemon).length + missed).toBe(700);
  });
});

describe('what daemons say about traces', () => {
  const heard = (daemon: MemoryDaemon) => daemon.reports.filter((report) => report.kind === 'heard');
  const probe = '{"say":"probe","id":1,"group":"news"}';

  it('is submitted and heard in the order, with the receivers of the group', async () => {
    const daemon = await MemoryDaemon.start();
    const slow = daemon.login('slow');
    slow.join('news');
    daemon.settle();
    slow.transport.room = 0;
    send(daemon.login('writer'), ['news'], 'x'.repeat(5000));
    daemon.settle();
    daemon.pass(500);
    daemon.delivery.order({ kind: 'submit', token: 5, service: SAFE_MESS, text: probe });
    daemon.settle();
    expect(daemon.reports.find(({ kind }) => kind === 'submitted')).toMatchObject({ token: 5, queuedBytes: 0 });
    expect(heard(daemon)).toMatchObject([
      { worker: 0, from: 'd', text: probe, receivers: { count: 1, slowest: [{ name: '#slow#d' }] } },
    ]);
    expect(slow.transport.isDestroyed).toBe(false);
  });

  it('is not heard from clients, and reaches none', async () => {
    const daemon = await MemoryDaemon.start();
    const [alice, bob] = [daemon.login('alice'), daemon.login('bob')];
    alice.frames();
    send(alice, [TRACE_TARGET], probe);
    daemon.delivery.order({ kind: 'submit', token: 5, service: SAFE_MESS, text: '{"say":"ask"}' });
    expect(bob.frames()).toEqual([]);
    expect(alice.frames()).toEqual([]);
    expect(heard(daemon)).toMatchObject([{ from: 'd', text: '{"say":"ask"}', receivers: null }]);
  });

  it('waits for room in the submit queue', async () => {
    const daemon = await MemoryDaemon.start();
    const text = JSON.stringify({ fill: 'x'.repeat(100_000) });
    for (let token = 1; token <= 30; token++)
      daemon.delivery.order({ kind: 'submit', token, service: SAFE_MESS, text });
    const submitted = (): number => daemon.reports.filter(({ kind }) => kind === 'submitted').length;
    expect(submitted()).toBeLessThan(30);
    daemon.settle();
    expect(submitted()).toBe(30);
  });
});
