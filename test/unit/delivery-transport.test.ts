/**
 * The whole delivery path over a transport that is no socket, which shows what a second kind of client connection needs. Ring agent and
 * delivery agent are the daemon's own and run in this thread, one duty cycle at a time.
 */
import { describe, expect, it } from 'vitest';
import { changedMember, isMessage, isView } from '../e2e/support/wire-frames.ts';
import { MemoryDaemon } from './memory-daemon.ts';

const LISTEN = { backlog: 1, reusePort: false };

describe('the delivery path over a transport in memory', () => {
  it('lets clients log in, join, receive views and messages, and end in every way', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice');
    const bob = daemon.login('bob');
    expect([alice.transport.readsLong, daemon.count('SessionsOpen')]).toEqual([true, 2]);
    alice.join('room');
    expect(alice.frames().map(({ groups }) => groups)).toEqual([[alice.privateName]]);
    bob.join('room');
    const members = [alice.privateName, bob.privateName];
    for (const client of [alice, bob]) {
      const [view, ...more] = client.frames();
      expect([isView(view!), view!.sender, view!.groups, changedMember(view!), more]).toEqual([
        ...[true, 'room', members, bob.privateName],
        [],
      ]);
    }
    // Frames that are cut, whole, and several at once.
    const hello = alice.message('room', 'hello');
    for (const at of [0, 1, 47, 48, hello.length]) {
      alice.transport.send(hello.subarray(0, at));
      alice.transport.send(hello.subarray(at));
    }
    const many = Array.from({ length: 500 }, (_, i) => alice.message('room', `${i}`));
    alice.transport.send(Buffer.concat(many));
    const expected = [...Array(5).fill('hello'), ...many.keys()].map(String);
    for (const client of [alice, bob])
      expect(client.frames().map(({ data }) => data.toString('latin1'))).toEqual(expected);
    // One closes, one breaks off: the last one sees both disconnect.
    const carol = daemon.login('carol');
    carol.join('room');
    carol.frames();
    alice.transport.hangUp();
    daemon.settle();
    bob.transport.abort();
    const left = carol.frames();
    expect(left.map(changedMember)).toEqual([alice.privateName, bob.privateName]);
    expect(left.at(-1)!.groups).toEqual([carol.privateName]);
    expect([alice.transport.isClosed, bob.transport.isClosed]).toEqual([true, true]);
    expect([daemon.count('SessionsOpen'), daemon.count('SessionsClosed')]).toEqual([1, 2]);
    // Their names are free again.
    daemon.login('alice');
  });

  it('queues what a slow client does not read, delivers all of it later, and ends the client beyond the limits', async () => {
    const daemon = await MemoryDaemon.start({ maxSessionMessages: 300 });
    const fast = daemon.login('fast');
    const slow = daemon.login('slow', 2000);
    const stuck = daemon.login('stuck', 2000);
    for (const client of [fast, slow, stuck]) {
      client.join('room');
      daemon.settle();
    }
    for (const client of [fast, slow, stuck]) client.frames();
    const send = (count: number): void => {
      for (let i = 0; i < count; i++) fast.transport.send(fast.message('room', Buffer.alloc(1000, i)));
      daemon.settle();
    };
    send(200);
    expect(fast.frames()).toHaveLength(200);
    expect(slow.transport.pendingBytes).toBeGreaterThan(0);
    // It reads again, and nothing is missing.
    slow.transport.take(Number.POSITIVE_INFINITY);
    const late = slow.frames();
    expect(late.map(({ data }) => data[0])).toEqual(Array.from({ length: 200 }, (_, i) => i));
    send(200);
    expect([fast.frames().length, slow.frames().filter(isMessage).length]).toEqual([201, 200]);
    expect([daemon.count('SlowConsumersEnded'), stuck.transport.isClosed]).toEqual([1, true]);
    expect(daemon.lines.map(({ fields, message }) => [message, fields['peer']])).toContainEqual([
      'session ended: slow consumer',
      'memory:stuck',
    ]);
  });

  it('does not read from a client while the submit queue is full, and loses nothing', async () => {
    const daemon = await MemoryDaemon.start();
    const sender = daemon.login('sender');
    sender.join('room');
    sender.frames();
    const body = Buffer.alloc(100_000);
    for (let i = 0; i < 60; i++) {
      body.writeUInt32LE(i);
      sender.transport.send(sender.message('room', body));
    }
    // Six megabytes do not fit into the submit queue.
    expect([sender.transport.isPaused, daemon.count('SubmitStalls') > 0]).toEqual([true, true]);
    const got = sender.frames().map(({ data }) => data.readUInt32LE());
    expect(got).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(sender.transport.isPaused).toBe(false);
  });

  it('ends clients that break the protocol or do not finish their handshake', async () => {
    const daemon = await MemoryDaemon.start({ handshakeTimeout: 1000 });
    const wrong = daemon.login('wrong');
    wrong.transport.send(Buffer.alloc(48, 0xff));
    daemon.settle();
    expect([wrong.transport.isClosed, daemon.count('ProtocolErrors')]).toEqual([true, 1]);
    const silent = daemon.connect('silent');
    daemon.pass(3000);
    expect([silent.transport.isClosed, daemon.count('HandshakesTimedOut')]).toEqual([true, 1]);
  });

  it('ends connections after the last message, and stops listening', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('client');
    client.join('room');
    client.frames();
    await daemon.delivery.listen({ kind: 'tcp', host: null, port: 0 }, LISTEN);
    expect(daemon.listener.isOpen).toBe(true);
    client.transport.send(client.message('room', 'last'));
    daemon.delivery.drain();
    expect(daemon.listener.isOpen).toBe(false);
    daemon.pass(500);
    daemon.delivery.hangUp();
    daemon.pass(10);
    expect(client.frames().map(({ data }) => data.toString('latin1'))).toEqual(['last']);
    expect(client.transport.isEnded).toBe(true);
    client.transport.hangUp();
    daemon.settle();
    expect(daemon.delivery.drained()).toBe(true);
    daemon.delivery.close();
  });
});
