import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, type FlushEvent, FlushSession } from '../../client/index.ts';
import { until } from './client-fake-daemon.ts';
import { Hub } from './client-hub.ts';

let hub: Hub;
const sessions: FlushSession[] = [];
beforeEach(async () => {
  hub = await Hub.start();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  await hub.stop();
});

async function open(name: string): Promise<FlushSession> {
  const session = await FlushSession.connect({ address: hub.address, name });
  sessions.push(session);
  return session;
}

function summary(event: FlushEvent): string {
  switch (event.kind) {
    case 'view':
      return `view ${event.cause} ${event.members.map((name) => name.split('#')[1]).join()}`;
    case 'message':
      return `${event.service} ${event.type} ${event.sender.split('#')[1]} ${event.data.toString()}`;
    default:
      return event.kind;
  }
}

/** Logs every event, and answers each flush request after sending a message in the old view. */
function listen(session: FlushSession, log: string[]): void {
  for (const kind of ['view', 'transition', 'selfLeave', 'message', 'flushRequest'] as const)
    session.on(kind, (event: FlushEvent) => log.push(summary(event)));
  session.on('flushRequest', ({ group }) => {
    session.multicast(group, 'bye', { service: 'fifo', type: 5 });
    session.flush(group);
  });
}

describe('a flush session', () => {
  it('joins, changes views, sends to all, some and one, and leaves', async () => {
    const a = await open('a');
    const b = await open('b');
    const seenByA: string[] = [];
    const seenByB: string[] = [];
    listen(a, seenByA);
    listen(b, seenByB);
    expect((await a.join('vs')).members).toEqual(['#a#hub']);
    const view = await b.join('vs');
    expect(view).toMatchObject({ cause: 'join', changed: '#b#hub', ownIndex: 1, vsSet: ['#b#hub'] });
    await until(() => seenByA.length === 4);
    expect(seenByA).toEqual(['view join a', 'flushRequest', 'fifo 5 a bye', 'view join a,b']);
    expect(seenByB).toEqual(['view join a,b']);
    expect(a.multicast('vs', ['one ', 'piece'], { service: 'safe', type: 1 })).toBe(true);
    a.multicast('vs', 'others', { type: 2, selfDiscard: true });
    a.unicast('vs', b.privateName, 'one', { type: 3 });
    a.subgroupMulticast('vs', [a.privateName, b.privateName], 'some', { type: 4 });
    a.multicast(b.privateName, 'private');
    await until(() => seenByB.length === 6 && seenByA.length === 6);
    expect(seenByB.slice(1)).toEqual([
      'safe 1 a one piece',
      'agreed 2 a others',
      'agreed 3 a one',
      'agreed 4 a some',
      'agreed 0 a private',
    ]);
    expect(seenByA.slice(4)).toEqual(['safe 1 a one piece', 'agreed 4 a some']);
    await b.leave('vs');
    await until(() => seenByA.length === 10);
    expect(seenByB.at(-1)).toBe('selfLeave');
    expect(seenByA.slice(6)).toEqual(['flushRequest', 'transition', 'fifo 5 a bye', 'view leave a']);
  });

  it('can be iterated, and sends no flush request that nobody takes', async () => {
    const a = await open('a');
    await a.join('vs');
    expect(summary(await a.receive())).toBe('view join a');
    const b = await open('b');
    const joining = b.join('vs');
    expect(summary(await a.receive())).toBe('flushRequest');
    a.flush('vs');
    await joining;
    const seen: string[] = [];
    for await (const event of a) {
      seen.push(summary(event));
      if (event.kind === 'view') b.multicast('vs', 'hi');
      if (event.kind === 'message') void a.close();
    }
    expect(seen).toEqual(['view join a,b', 'agreed 0 b hi']);
    await expect(a.receive()).rejects.toMatchObject({ code: 'ILLEGAL_SESSION' });
  });

  it('throws or rejects when the state machine refuses', async () => {
    const a = await open('a');
    await expect(a.leave('vs')).rejects.toMatchObject({ code: 'ILLEGAL_GROUP' });
    await expect(a.join('#vs')).rejects.toMatchObject({ code: 'ILLEGAL_GROUP' });
    await a.join('vs');
    await expect(a.join('vs')).rejects.toMatchObject({ code: 'ILLEGAL_GROUP' });
    expect(() => a.flush('vs')).toThrow(expect.objectContaining({ code: 'ILLEGAL_STATE' }));
    expect(() => a.multicast('other', 'x')).toThrow(expect.objectContaining({ code: 'ILLEGAL_GROUP' }));
    expect(() => a.multicast('vs', Buffer.alloc(143_121))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LONG' }),
    );
    await expect(
      connect({ address: hub.address, membership: false }).then((plain) => new FlushSession(plain)),
    ).rejects.toMatchObject({ code: 'ILLEGAL_PARAM' });
  });

  it('pauses the session when its queue is full, but not while it waits for a view', async () => {
    const plain = await connect({ address: hub.address, name: 'a' });
    const [pause, resume] = [vi.spyOn(plain, 'pause'), vi.spyOn(plain, 'resume')];
    const a = new FlushSession(plain, { receiveQueueBytes: 1000 });
    sessions.push(a);
    const sender = await connect({ address: hub.address, name: 's' });
    const flood = (): void => {
      for (let i = 0; i < 200; i++) sender.multicast(a.privateName, 'x'.repeat(1000));
    };
    flood();
    await until(() => pause.mock.calls.length > 0);
    const resumed = resume.mock.calls.length;
    await a.join('vs');
    expect(resume.mock.calls.length).toBeGreaterThan(resumed);
    flood();
    let messages = 0;
    while (messages < 400) if ((await a.receive()).kind === 'message') messages++;
    await sender.close();
  });

  it('reports a lost connection once, and rejects pending calls', async () => {
    const a = await open('a');
    const log: string[] = [];
    listen(a, log);
    a.on('error', (error) => log.push(error.code));
    a.on('close', (error) => log.push(`close ${error?.code}`));
    await a.join('vs');
    const joining = a.join('other');
    await hub.stop();
    await expect(joining).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await until(() => log.length >= 3);
    expect(log).toEqual(['view join a', 'CONNECTION_CLOSED', 'close CONNECTION_CLOSED']);
  });
});
