import { afterEach, describe, expect, it } from 'vitest';
import { type ConnectOptions, type Session, SkeinError } from '../../client/index.ts';
import { type ClientFrame, readClientFrames } from './client-captures.ts';
import { type FakeDaemon, openPair, type Peer, turn, until } from './client-fake-daemon.ts';
import { frame, message, selfLeaveFrame, viewFrame } from './client-frames.ts';

const ALICE = '#alice#localhost';
const opened: { readonly session: Session; readonly daemon: FakeDaemon }[] = [];
afterEach(async () => {
  for (const { session, daemon } of opened.splice(0)) {
    session.destroy();
    await daemon.stop();
  }
});

async function pair(options: ConnectOptions = {}): Promise<{ readonly session: Session; readonly peer: Peer }> {
  const { session, peer, daemon } = await openPair(options);
  opened.push({ session, daemon });
  return { session, peer };
}

async function readFrame(peer: Peer, dataLength = 0, groups = 1): Promise<ClientFrame> {
  const [read] = readClientFrames(await peer.read(48 + 32 * groups + dataLength));
  expect(read).toBeDefined();
  return read!;
}

const ownView = (group: string): Buffer => viewFrame({ group, members: [ALICE] });

/** Whether a promise is settled once everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 10; i++) await turn();
  return settled;
}

async function reasonOf(promise: Promise<unknown>): Promise<SkeinError> {
  const reason: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(reason).toBeInstanceOf(SkeinError);
  return reason as SkeinError;
}

describe('joining and leaving', () => {
  it('resolves with the own view and the self-leave', async () => {
    const { session, peer } = await pair();
    const joining = session.join('room');
    expect(await readFrame(peer)).toMatchObject({ bits: 0x10000, sender: ALICE, groups: ['room'], messageType: 0 });
    expect(await isSettled(joining)).toBe(false);
    expect(session.groups.has('room')).toBe(false);
    peer.write(ownView('room'));
    await joining;
    expect([...session.groups]).toEqual(['room']);
    const leaving = session.leave('room');
    expect(await readFrame(peer)).toMatchObject({ bits: 0x20000, groups: ['room'] });
    expect(await isSettled(leaving)).toBe(false);
    peer.write(selfLeaveFrame('room'));
    await leaving;
    expect(session.groups.size).toBe(0);
  });

  it('resolves at once, without sending, when nothing would change', async () => {
    const { session, peer } = await pair();
    await session.leave('room');
    const first = session.join('room');
    const second = session.join('room');
    await readFrame(peer);
    peer.write(ownView('room'));
    await Promise.all([first, second]);
    await session.join('room');
    session.multicast('room', '');
    expect((await readFrame(peer)).bits).toBe(0x10);
  });

  it('matches arriving events to several pending requests', async () => {
    const { session, peer } = await pair();
    const first = session.join('room');
    const second = session.leave('room');
    const third = session.join('room');
    const bits = [await readFrame(peer), await readFrame(peer), await readFrame(peer)].map((request) => request.bits);
    expect(bits).toEqual([0x10000, 0x20000, 0x10000]);
    peer.write(Buffer.concat([ownView('room'), viewFrame({ group: 'room', members: [ALICE, '#bob#localhost'] })]));
    await first;
    expect(await isSettled(second)).toBe(false);
    peer.write(selfLeaveFrame('room'));
    await second;
    expect(await isSettled(third)).toBe(false);
    peer.write(ownView('room'));
    await third;
    expect([...session.groups]).toEqual(['room']);
  });

  it('resolves once written when the session has no membership flag', async () => {
    const { session, peer } = await pair({ membership: false });
    await session.join('room');
    expect([...session.groups]).toEqual(['room']);
    await session.leave('room');
    expect(session.groups.size).toBe(0);
    expect([(await readFrame(peer)).bits, (await readFrame(peer)).bits]).toEqual([0x10000, 0x20000]);
  });

  it('rejects with REJECT_AUTH when the daemon refuses, and keeps the groups right', async () => {
    const { session, peer } = await pair();
    const rejectOf = (oldType: number): Buffer =>
      frame({ type: 0x0040_0000, sender: ALICE, groups: ['room', ALICE], oldType });
    const refused = session.join('room');
    peer.write(rejectOf(0x100));
    expect((await reasonOf(refused)).code).toBe('REJECT_AUTH');
    const joined = session.join('room');
    peer.write(ownView('room'));
    await joined;
    const stay = session.leave('room');
    peer.write(rejectOf(0x200));
    expect((await reasonOf(stay)).code).toBe('REJECT_AUTH');
    expect([...session.groups]).toEqual(['room']);
    await session.join('room');
  });

  it('rejects illegal names, and everything pending when the connection ends', async () => {
    const { session, peer } = await pair();
    for (const group of ['', '#a', 'x'.repeat(32)])
      expect((await reasonOf(session.join(group))).code).toBe('ILLEGAL_GROUP');
    const joining = session.join('room');
    peer.socket.end();
    expect((await reasonOf(joining)).code).toBe('CONNECTION_CLOSED');
  });

  it('is not held up by a full receive queue', async () => {
    const { session, peer } = await pair({ receiveQueueBytes: 1000 });
    peer.write(Buffer.concat(Array.from({ length: 100 }, () => message('x'.repeat(100)))));
    await turn();
    const joining = session.join('room');
    await readFrame(peer);
    peer.write(ownView('room'));
    await joining;
    expect([...session.groups]).toEqual(['room']);
  });
});

describe('receiving', () => {
  it('iterates, ends when closed here, and throws when the connection is lost', async () => {
    const { session, peer } = await pair();
    peer.write(Buffer.concat([message('a'), message('b')]));
    const seen: string[] = [];
    for await (const event of session) {
      if (event.kind === 'message') seen.push(event.data.toString());
      if (seen.length === 2) break;
    }
    peer.write(message('c'));
    for await (const event of session) {
      if (event.kind === 'message') seen.push(event.data.toString());
      void session.close();
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect((await reasonOf(session.receive())).code).toBe('ILLEGAL_SESSION');

    const lost = await pair();
    lost.peer.socket.end(message('last words'));
    const heard: string[] = [];
    const loop = (async () => {
      for await (const event of lost.session) heard.push(event.kind);
    })();
    expect((await reasonOf(loop)).code).toBe('CONNECTION_CLOSED');
    expect(heard).toEqual(['message']);
  });

  it('delivers each kind of event to its listeners, including events from before they were added', async () => {
    const { session, peer } = await pair();
    peer.write(Buffer.concat([ownView('room'), message('a'), selfLeaveFrame('room')]));
    await turn();
    const seen: string[] = [];
    session.on('message', (event) => seen.push(event.data.toString()));
    session.on('membership', (event) => seen.push(`${event.cause} ${event.group}`));
    session.on('selfLeave', (event) => seen.push(`left ${event.group}`));
    await until(() => seen.length === 3);
    expect(seen).toEqual(['join room', 'a', 'left room']);
  });

  it('works in one way at a time', async () => {
    const { session } = await pair();
    const off = session.onBatch(() => undefined);
    const illegal = expect.objectContaining({ code: 'ILLEGAL_STATE' });
    expect(() => session.onBatch(() => undefined)).toThrow(illegal);
    expect(() => session.on('message', () => undefined)).toThrow(illegal);
    await expect(session.receive()).rejects.toEqual(illegal);
    off();
    const listener = (): void => undefined;
    session.on('message', listener);
    expect(() => session.onBatch(() => undefined)).toThrow(illegal);
    await expect(session.receive()).rejects.toEqual(illegal);
    session.off('message', listener);
    void session.receive().catch(() => undefined);
    expect(() => session.on('message', listener)).toThrow(illegal);
    expect(() => session.onBatch(() => undefined)).toThrow(illegal);
  });

  it('pushes back through TCP when nobody takes events, and loses none', async () => {
    const { session, peer } = await pair({ receiveQueueBytes: 64 * 1024 });
    const count = 400;
    const large = (i: number): Buffer => message(Buffer.alloc(100_000, i % 251));
    for (let i = 0; i < count; i++) peer.write(large(i));
    let queued = -1;
    while (peer.socket.writableLength !== queued) {
      queued = peer.socket.writableLength;
      for (let i = 0; i < 50; i++) await turn();
    }
    expect(queued).toBeGreaterThan(20_000_000);
    for (let i = 0; i < count; i++) {
      const event = await session.receive();
      if (event.kind !== 'message' || event.data.length !== 100_000 || event.data[99_999] !== i % 251)
        throw new Error(`message ${i} is not what was sent`);
    }
  });

  it('ends with ILLEGAL_MESSAGE when the daemon breaks the protocol', async () => {
    const { session, peer } = await pair();
    const broken = message('x');
    broken.writeInt32LE(-1, 36);
    const closed = new Promise((resolve) => session.once('close', resolve));
    peer.write(Buffer.concat([message('good'), broken]));
    expect(await session.receive()).toMatchObject({ kind: 'message' });
    expect((await reasonOf(session.receive())).code).toBe('ILLEGAL_MESSAGE');
    expect(await closed).toMatchObject({ code: 'ILLEGAL_MESSAGE' });
  });
});

describe('ending', () => {
  it('by close sends the queue, then KILL, and reads until the daemon closes', async () => {
    const { session, peer } = await pair();
    let closed: unknown = 'not yet';
    session.on('close', (error) => {
      closed = error;
    });
    const data = Buffer.alloc(100_000, 'd');
    for (let i = 0; i < 20; i++) session.multicast('room', data);
    const closing = session.close();
    expect(session.closed).toBe(true);
    expect(session.close()).toBe(closing);
    expect(() => session.multicast('room', 'late')).toThrow(expect.objectContaining({ code: 'ILLEGAL_SESSION' }));
    expect((await reasonOf(session.join('room'))).code).toBe('ILLEGAL_SESSION');
    for (let i = 0; i < 20; i++) expect((await readFrame(peer, 100_000)).data.equals(data)).toBe(true);
    expect(await readFrame(peer)).toMatchObject({ bits: 0x40000, groups: [ALICE] });
    peer.write(message('unread'));
    expect(await isSettled(closing)).toBe(false);
    peer.socket.end();
    await closing;
    await turn();
    expect(closed).toBeUndefined();
  });

  it('by close waits at most closeTimeoutMs', async () => {
    const { session } = await pair({ closeTimeoutMs: 20 });
    await session.close();
    expect(session.closed).toBe(true);
  });

  it('is emitted once, as error and close, to listeners', async () => {
    const { session, peer } = await pair();
    const seen: string[] = [];
    session.on('message', (event) => seen.push(event.data.toString()));
    session.on('error', (error) => seen.push(`error ${error.code}`));
    session.on('close', (error) => seen.push(`close ${error?.code}`));
    peer.socket.end(message('last'));
    await until(() => seen.length >= 3);
    await session.close();
    expect(seen).toEqual(['last', 'error CONNECTION_CLOSED', 'close CONNECTION_CLOSED']);
    expect(() => session.multicast('room', 'x')).toThrow(expect.objectContaining({ code: 'CONNECTION_CLOSED' }));
    expect((await reasonOf(session.flushed().then(() => session.join('room')))).code).toBe('CONNECTION_CLOSED');
  });

  it('reaches paused listeners after their waiting events', async () => {
    const { session, peer } = await pair();
    const seen: string[] = [];
    session.on('message', (event) => {
      seen.push(event.data.toString());
      session.pause();
    });
    session.on('error', () => seen.push('error'));
    session.on('close', () => seen.push('close'));
    peer.write(Buffer.concat([message('a'), message('b')]));
    await until(() => seen.length === 1);
    session.destroy();
    await turn();
    expect(seen).toEqual(['a', 'close']);

    const lost = await pair();
    const order: string[] = [];
    lost.session.on('message', (event) => {
      order.push(event.data.toString());
      lost.session.pause();
    });
    lost.session.on('error', () => order.push('error'));
    const broken = message('x');
    broken.writeInt32LE(-1, 36);
    lost.peer.write(Buffer.concat([message('a'), message('b'), broken]));
    await until(() => order.length === 1);
    for (let i = 0; i < 5; i++) await turn();
    expect(order).toEqual(['a']);
    lost.session.resume();
    await until(() => order.length === 3);
    expect(order).toEqual(['a', 'b', 'error']);
  });

  it('by destroy sends nothing', async () => {
    const { session, peer } = await pair();
    session.destroy();
    expect(await peer.readToEnd()).toHaveLength(0);
    await session.close();
  });

  it('by leaving the scope closes the session', async () => {
    const { session, peer } = await pair();
    const closing = session[Symbol.asyncDispose]();
    expect((await readFrame(peer)).bits).toBe(0x40000);
    peer.socket.end();
    await closing;
  });
});

describe('sending', () => {
  it('puts the messages of the six-line program on the wire', async () => {
    const { session, peer } = await pair();
    expect(session.multicast(['room', '#bob#x'], ['one ', Buffer.from('message')], { service: 'safe', type: 5 })).toBe(
      true,
    );
    const sent = await readFrame(peer, 11, 2);
    expect(sent).toMatchObject({ bits: 0x20, sender: ALICE, groups: ['room', '#bob#x'], messageType: 5 });
    expect(sent.data.toString()).toBe('one message');
    const target = session.target('room', { type: 6, selfDiscard: true });
    target.send('two');
    target.send('two');
    session.multicast('room', 'two', { type: 6 });
    session.multicast('room', 'two', { type: 6 });
    const bits: number[] = [];
    for (let i = 0; i < 4; i++) bits.push((await readFrame(peer, 3)).bits);
    expect(bits).toEqual([0x50, 0x50, 0x10, 0x10]);
  });

  it('returns false, and drained waits, while a daemon does not keep up', async () => {
    const { session, peer } = await pair({ sendQueueBytes: 200_000 });
    peer.socket.pause();
    const data = Buffer.alloc(50_000);
    let sent = 0;
    do {
      sent++;
      await turn();
    } while (session.multicast('room', data));
    expect(session.pendingBytes).toBeGreaterThanOrEqual(200_000);
    const drained = session.drained();
    expect(await isSettled(drained)).toBe(false);
    peer.socket.resume();
    await drained;
    await session.flushed();
    expect(session.pendingBytes).toBe(0);
    for (let i = 0; i < sent; i++) await readFrame(peer, 50_000);
  });

  it('reports undelivered messages in the event close, and close never rejects', async () => {
    const { session, peer, daemon } = await openPair({ closeTimeoutMs: 50 });
    peer.socket.pause();
    const closed = new Promise<unknown>((resolve) => session.once('close', resolve));
    for (let i = 0; i < 200; i++) session.multicast('room', Buffer.alloc(100_000));
    await session.close();
    expect(session.pendingBytes).toBeGreaterThan(0);
    const error = await closed;
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(String(error)).toMatch(/\d+ bytes not sent: it did not take them and hang up within closeTimeoutMs 50/);
    await daemon.stop();
  });

  it('reports a daemon that did not close the connection and so may not have taken the last messages', async () => {
    const { session, daemon } = await openPair({ closeTimeoutMs: 50 });
    const closed = new Promise<unknown>((resolve) => session.once('close', resolve));
    session.multicast('room', 'x');
    await session.close();
    expect(String(await closed)).toMatch(/the daemon has not confirmed that it has taken what was sent last/);
    await daemon.stop();
  });
});
