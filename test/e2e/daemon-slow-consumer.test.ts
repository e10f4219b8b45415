/** Clients that do not read (client-protocol.md, 7.4 and 7.5) are handled by the policy and do not affect others. */
import { describe, expect, it } from 'vitest';
import type { Daemon } from '../../daemon/start-daemon.ts';
import { DROP_NOTICE_MESSAGE_TYPE } from '../../workers/delivery/drop-notice.ts';
import { deliveryCount, eventually, orderingCount, testClient, testClients, testDaemon } from './support/daemons.ts';
import type { WireClient } from './support/wire-client.ts';
import {
  AGREED,
  changedMember,
  encodeFrame,
  FIFO,
  type IncomingFrame,
  isMessage,
  RELIABLE,
  UNRELIABLE,
  VIEW_DISCONNECT,
} from './support/wire-frames.ts';

const BODY_BYTES = 1000;

/** A body that holds the number of its message. */
function numbered(number: number, lengthBytes = BODY_BYTES): Buffer {
  const body = Buffer.alloc(lengthBytes, number & 0xff);
  body.writeUInt32LE(number, 0);
  return body;
}

const numberOf = (frame: IncomingFrame): number => frame.data.readUInt32LE(0);

const isNumbered = (frame: IncomingFrame, number: number, lengthBytes = BODY_BYTES): boolean =>
  frame.data.equals(numbered(number, lengthBytes));

interface Flood {
  readonly from?: number;
  readonly count: number;
  readonly lengthBytes?: number;
  readonly type?: (number: number) => number;
  /** Messages in one write. */
  readonly batch?: number;
}

async function flood(sender: WireClient, group: string, load: Flood): Promise<void> {
  const { from = 0, count, lengthBytes = BODY_BYTES, type = () => AGREED, batch = 50 } = load;
  for (let first = from; first < from + count && !sender.ended; first += batch) {
    const length = Math.min(batch, from + count - first);
    const burst = Array.from({ length }, (_, i) =>
      sender.encode(group, numbered(first + i, lengthBytes), type(first + i)),
    );
    await sender.sendAll(Buffer.concat(burst));
  }
}

/** A sender, a receiver that reads and one that stops, both members of `room`. */
async function cast(daemon: Daemon): Promise<readonly [WireClient, WireClient, WireClient]> {
  const [sender, healthy, stuck] = await testClients(daemon, 'sender', 'healthy', 'stuck');
  await healthy!.joined('room');
  await stuck!.joined('room');
  await healthy!.frame();
  stuck!.socket.pause();
  return [sender!, healthy!, stuck!];
}

async function expectKilled(daemon: Daemon, healthy: WireClient, stuck: WireClient): Promise<readonly IncomingFrame[]> {
  await eventually(() => deliveryCount(daemon, 'SlowConsumersEnded') === 1, 'the slow consumer to be ended');
  stuck.socket.resume();
  await stuck.until(() => stuck.ended, 'the end of the stuck connection');
  const view = healthy.waiting.find((frame) => !isMessage(frame));
  expect(view).toMatchObject({ type: VIEW_DISCONNECT, groups: [healthy.privateName] });
  expect(changedMember(view!)).toBe(stuck.privateName);
  return stuck.waiting;
}

describe('policy disconnect', () => {
  it('ends a session with more than MaxSessionMessages waiting; it reads what the kernel had, then EOF', async () => {
    const daemon = await testDaemon({ maxSessionMessages: 20 });
    const [sender, healthy, stuck] = await cast(daemon);
    let sent = 0;
    // The test waits for the healthy one, so only the one that does not read falls behind.
    while (deliveryCount(daemon, 'SlowConsumersEnded') === 0) {
      await flood(sender, 'room', { from: sent, count: 10, lengthBytes: 20_000 });
      sent += 10;
      await healthy.until(() => healthy.waiting.filter(isMessage).length >= sent, 'the healthy client');
    }
    await healthy.until(() => healthy.waiting.some((frame) => !isMessage(frame)), 'the view');
    const received = await expectKilled(daemon, healthy, stuck);
    expect(received.length).toBeGreaterThan(0);
    expect(received.length).toBeLessThanOrEqual(sent - 20);
    expect(received.every((frame, i) => isNumbered(frame, i, 20_000))).toBe(true);
    expect(healthy.waiting.filter(isMessage).map(numberOf)).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  it('with MaxSessionMessages 0 the first delivery ends the session', async () => {
    const daemon = await testDaemon({ maxSessionMessages: 0 });
    const alice = await testClient(daemon, { name: 'alice', membership: false });
    const bob = await testClient(daemon, { name: 'bob', membership: false });
    alice.join('room');
    bob.multicast('nobody', 'to nobody');
    bob.multicast('#alice#localhost', 'the first');
    expect(await alice.takeToEnd()).toHaveLength(0);
    expect(deliveryCount(daemon, 'SlowConsumersEnded')).toBe(1);
    expect(bob.ended).toBe(false);
  });

  it('counts bytes as well as messages', async () => {
    const daemon = await testDaemon({ maxSessionBytes: '256K', maxSessionMessages: 1_000_000 });
    const [sender, healthy, stuck] = await cast(daemon);
    let sent = 0;
    while (deliveryCount(daemon, 'SlowConsumersEnded') === 0) {
      await flood(sender, 'room', { from: sent, count: 2, lengthBytes: 50_000 });
      sent += 2;
      await healthy.until(() => healthy.waiting.filter(isMessage).length >= sent, 'the healthy client');
    }
    await healthy.until(() => healthy.waiting.some((frame) => !isMessage(frame)), 'the view');
    await expectKilled(daemon, healthy, stuck);
  });

  it('frees the name and the memory of a session it ended', async () => {
    const daemon = await testDaemon({ maxSessionMessages: 20 });
    const [sender, healthy] = await cast(daemon);
    await flood(sender, 'room', { count: 500, lengthBytes: 20_000 }).catch(() => {});
    await eventually(() => deliveryCount(daemon, 'SlowConsumersEnded') >= 1, 'the slow consumer to be ended');
    await eventually(() => orderingCount(daemon, 'Sessions') === deliveryCount(daemon, 'SessionsOpen'), 'its name');
    const again = await testClient(daemon, 'stuck');
    expect(again.privateName).toBe('#stuck#localhost');
    expect(healthy.privateName).toBe('#healthy#localhost');
  });
});

describe('policy drop-unreliable', () => {
  it('drops only UNRELIABLE messages, counts them, and logs it', async () => {
    const daemon = await testDaemon({ slowConsumerPolicy: 'drop-unreliable', maxSessionBytes: '4M' });
    const [sender, healthy, stuck] = await cast(daemon);
    const count = 15_000;
    const isDroppable = (number: number): boolean => number % 10 !== 0;
    const services = [RELIABLE, FIFO, AGREED];
    const type = (number: number): number => (isDroppable(number) ? UNRELIABLE : services[(number / 10) % 3]!);
    for (let from = 0; from < count; from += 200) {
      await flood(sender, 'room', { from, count: 200, type });
      await healthy.until(() => healthy.waiting.length >= from + 200, 'the healthy client');
    }
    expect((await healthy.frames(count)).map(numberOf)).toEqual(Array.from({ length: count }, (_, i) => i));
    const dropped = deliveryCount(daemon, 'MessagesDropped');
    expect(dropped).toBeGreaterThan(1000);
    stuck.socket.resume();
    const received = [...(await stuck.frames(count - dropped + 1))];
    const noticeAt = received.findIndex((frame) => frame.messageType === DROP_NOTICE_MESSAGE_TYPE);
    const [notice] = received.splice(noticeAt, 1);
    expect(notice).toMatchObject({ type: RELIABLE, sender: '#!dropped#localhost', groups: [stuck.privateName] });
    expect([notice!.data.readUInt32LE(0), notice!.data.readUInt32LE(4)]).toEqual([dropped, dropped]);
    const numbers = received.map(numberOf);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(received.every((frame) => isNumbered(frame, numberOf(frame)))).toBe(true);
    const missed = new Set(Array.from({ length: count }, (_, i) => i));
    for (const number of numbers) missed.delete(number);
    expect(missed.size).toBe(dropped);
    expect([...missed].every(isDroppable)).toBe(true);
    // The client has caught up: new messages arrive, UNRELIABLE ones too.
    await flood(sender, 'room', { from: count, count: 10, type });
    expect((await stuck.frames(10)).map(numberOf)).toEqual(Array.from({ length: 10 }, (_, i) => count + i));
  });

  it('still ends a session that more reliable messages wait for than allowed', async () => {
    const daemon = await testDaemon({ slowConsumerPolicy: 'drop-unreliable', maxSessionMessages: 50 });
    const [sender, healthy, stuck] = await cast(daemon);
    let sent = 0;
    while (deliveryCount(daemon, 'SlowConsumersEnded') === 0) {
      await flood(sender, 'room', { from: sent, count: 10, lengthBytes: 20_000, type: () => RELIABLE });
      sent += 10;
      await healthy.until(() => healthy.waiting.filter(isMessage).length >= sent, 'the healthy client');
    }
    await healthy.until(() => healthy.waiting.some((frame) => !isMessage(frame)), 'the view');
    await expectKilled(daemon, healthy, stuck);
  });
});

describe('one stuck client', () => {
  it('does not stop others, and receives every byte when it reads again', async () => {
    const daemon = await testDaemon({ maxSessionMessages: 1_000_000, maxSessionBytes: '256M' });
    const [sender, healthy, stuck] = await cast(daemon);
    const count = 100_000;
    const lengthBytes = 200;
    const flooding = flood(sender, 'room', { count, lengthBytes, batch: 200 });
    const seen = await healthy.frames(count);
    await flooding;
    expect(seen.every((frame, i) => isNumbered(frame, i, lengthBytes))).toBe(true);
    expect(stuck.waiting).toEqual([]);
    expect(deliveryCount(daemon, 'SlowConsumersEnded')).toBe(0);
    // It holds no part of the log: unread messages were copied out.
    expect(deliveryCount(daemon, 'BytesSpilled')).toBeGreaterThan((count * lengthBytes) / 2);
    expect(orderingCount(daemon, 'LogTermBuffersTouched')).toBeLessThan(40);
    stuck.socket.resume();
    const late = await stuck.frames(count);
    expect(late.every((frame, i) => isNumbered(frame, i, lengthBytes))).toBe(true);
  });
});

describe('backpressure', () => {
  it('slows senders down, and loses nothing, when no receiver can keep up', async () => {
    const daemon = await testDaemon({ threadingMode: 'dedicated' });
    const receiver = await testClient(daemon, 'receiver');
    const senders = await testClients(daemon, 's0', 's1', 's2');
    await receiver.joined('room');
    const each = 4000;
    // Far more bytes than the rings between the agents hold.
    const floods = senders.map((sender, s) =>
      sender.sendAll(
        Buffer.concat(
          Array.from({ length: each }, (_, i) =>
            encodeFrame({
              type: FIFO,
              sender: sender.privateName,
              groups: ['room'],
              data: numbered(s * each + i, 2000),
            }),
          ),
        ),
      ),
    );
    const received = await receiver.frames(senders.length * each);
    await Promise.all(floods);
    for (const s of senders.keys()) {
      const own = received.filter((frame) => frame.sender === senders[s]!.privateName);
      expect(own.map(numberOf)).toEqual(Array.from({ length: each }, (_, i) => s * each + i));
    }
    expect(deliveryCount(daemon, 'SubmitStalls')).toBeGreaterThan(0);
  });
});
