import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RESULT_CODES, SkeinError } from '../../client/index.ts';
import { piecesOf } from '../../client/send/data.ts';
import { messageTemplate } from '../../client/send/frame-template.ts';
import { Outbound } from '../../client/send/outbound.ts';
import { Target, TargetCache } from '../../client/send/target.ts';
import { readClientFrames } from './client-captures.ts';

const SENDER = '#alice#localhost';

/** A socket that takes everything at once, or nothing until the test allows it; counts the system calls of a real one. */
class FakeSocket {
  readonly taken: Buffer[] = [];
  readonly views: Uint8Array[] = [];
  systemCalls = 0;
  blocked = false;
  destroyed = false;
  #corked = false;
  #waiting: { readonly bytes: Uint8Array; readonly done: (() => void) | undefined }[] = [];

  get writableLength(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    if (!this.blocked) this.#take();
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    this.#waiting.push({ bytes, done });
    if (!this.#corked && !this.blocked) this.#take();
    return true;
  }

  unblock(): void {
    this.blocked = false;
    this.#take();
  }

  get stream(): Buffer {
    return Buffer.concat(this.taken);
  }

  #take(): void {
    if (this.#waiting.length === 0) return;
    this.systemCalls++;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { bytes } of waiting) {
      this.views.push(bytes);
      this.taken.push(Buffer.from(bytes));
    }
    process.nextTick(() => {
      for (const { done } of waiting) done?.();
    });
  }
}

function bench(options: { sendQueueBytes?: number; copyBelowBytes?: number } = {}) {
  const socket = new FakeSocket();
  const outbound = new Outbound(socket as unknown as Socket, {
    sendQueueBytes: 1024 * 1024,
    copyBelowBytes: 16 * 1024,
    ...options,
  });
  return { socket, outbound, room: messageTemplate(SENDER, ['room'], { type: 7 }) };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SkeinError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('frames', () => {
  it('are little-endian with flag, names zero-filled, type in the hint', () => {
    const { bytes } = messageTemplate(SENDER, ['room', '#bob#x'], { service: 'safe', type: -3, selfDiscard: true });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        'e0000080',
        Buffer.from(SENDER).toString('hex').padEnd(64, '0'),
        '02000000',
        '80fdff80',
        '00000000',
        Buffer.from('room').toString('hex').padEnd(64, '0'),
        Buffer.from('#bob#x').toString('hex').padEnd(64, '0'),
      ].join(''),
    );
  });

  it.each([
    ['unreliable', 0x01],
    ['reliable', 0x02],
    ['fifo', 0x04],
    ['causal', 0x08],
    ['agreed', 0x10],
    ['safe', 0x20],
  ] as const)('of service %s have exactly its bit', (service, bit) => {
    expect(messageTemplate(SENDER, ['g'], { service }).bytes[0]).toBe(0x80 | bit);
  });

  it('that every daemon would refuse are refused', () => {
    const many = Array.from({ length: 101 }, (_, i) => `g${i}`);
    expect(codeOf(() => messageTemplate(SENDER, many, {}))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => messageTemplate(SENDER, ['a b'], {}))).toBe('ILLEGAL_GROUP');
    for (const service of ['', 'constructor', 'AGREED'])
      expect(codeOf(() => messageTemplate(SENDER, ['g'], { service: service as 'agreed' }))).toBe('ILLEGAL_SERVICE');
    for (const type of [32_768, -32_769, 0.5, Number.NaN])
      expect(codeOf(() => messageTemplate(SENDER, ['g'], { type }))).toBe('ILLEGAL_MESSAGE_TYPE');
  });
});

describe('outbound', () => {
  it('sends a lone message at the end of the turn, in one piece', async () => {
    const { socket, outbound, room } = bench();
    expect(outbound.send(room, Buffer.from('hello'))).toBe(true);
    expect(socket.taken).toHaveLength(0);
    await endOfTurn();
    expect(socket.systemCalls).toBe(1);
    const [frame] = readClientFrames(socket.stream);
    expect(frame).toMatchObject({ sender: SENDER, groups: ['room'], messageType: 7 });
    expect(frame?.data.toString()).toBe('hello');
    expect(outbound.pendingBytes).toBe(0);
  });

  it('sends thousands of small messages in few writes from one reused block', async () => {
    const { socket, outbound, room } = bench();
    const data = Buffer.alloc(64);
    const count = 10_000;
    for (let i = 0; i < count; i++) {
      data.writeUInt32LE(i);
      outbound.send(room, data);
    }
    await settled();
    const frames = readClientFrames(socket.stream);
    expect(frames).toHaveLength(count);
    expect(frames.every((frame, i) => frame.data.readUInt32LE() === i)).toBe(true);
    expect(socket.systemCalls).toBeLessThanOrEqual(Math.ceil((count * 144) / 65_536) + 1);
    expect(new Set(socket.views.map((view) => view.buffer)).size).toBe(1);
  });

  it('takes text as UTF-8, short and long', async () => {
    const { socket, outbound, room } = bench();
    const long = 'grüße '.repeat(10_000);
    outbound.send(room, 'grüße');
    outbound.send(room, long);
    await settled();
    expect(readClientFrames(socket.stream).map((frame) => frame.data.toString())).toEqual(['grüße', long]);
  });

  it('sends long data without copying it, in order with everything else', async () => {
    const { socket, outbound, room } = bench({ copyBelowBytes: 100 });
    const long = Buffer.alloc(100_000, 'L');
    outbound.send(room, Buffer.from('before'));
    outbound.send(room, long);
    outbound.sendScattered(room, piecesOf(['piece,', Buffer.alloc(99, 'p'), long, '']));
    outbound.send(room, Buffer.from('after'));
    await settled();
    expect(socket.systemCalls).toBe(1);
    expect(readClientFrames(socket.stream).map((frame) => frame.data.toString())).toEqual([
      'before',
      'L'.repeat(100_000),
      `piece,${'p'.repeat(99)}${'L'.repeat(100_000)}`,
      'after',
    ]);
    expect(socket.views.filter((view) => view.buffer === long.buffer)).toHaveLength(2);
  });

  it('copies data shorter than copyBelowBytes before it returns, whatever its length', async () => {
    const { socket, outbound, room } = bench({ copyBelowBytes: Number.POSITIVE_INFINITY });
    const data = Buffer.alloc(100_000, 'a');
    outbound.send(room, data);
    data.fill('b');
    await settled();
    expect(readClientFrames(socket.stream)[0]?.data.equals(Buffer.alloc(100_000, 'a'))).toBe(true);
  });

  it('grows the next write while one is in flight, and never changes bytes in flight', async () => {
    const { socket, outbound, room } = bench();
    socket.blocked = true;
    const expected: string[] = [];
    for (let i = 0; i < 3000; i++) {
      const text = `m${i}`.padEnd(60, '.');
      expected.push(text);
      outbound.send(room, text);
      if (i % 500 === 0) await settled();
    }
    expect(socket.systemCalls).toBe(0);
    socket.unblock();
    await settled();
    expect(socket.systemCalls).toBe(2);
    expect(readClientFrames(socket.stream).map((frame) => frame.data.toString())).toEqual(expected);
    expect(outbound.pendingBytes).toBe(0);
  });

  it('returns false when the queue is full; drained and flushed resolve when they should', async () => {
    const { socket, outbound, room } = bench({ sendQueueBytes: 1000 });
    socket.blocked = true;
    const frameLength = 80 + 100;
    for (let i = 1; i <= 7; i++) expect(outbound.send(room, Buffer.alloc(100))).toBe(i * frameLength < 1000);
    await settled();
    const order: string[] = [];
    const drained = outbound.drained().then(() => order.push('drained'));
    const flushed = outbound.flushed().then(() => order.push('flushed'));
    await settled();
    expect(order).toEqual([]);
    expect(outbound.pendingBytes).toBe(7 * frameLength);
    socket.unblock();
    await Promise.all([drained, flushed]);
    expect(outbound.pendingBytes).toBe(0);
    await outbound.drained();
    await outbound.flushed();
  });

  it('refuses data beyond the limit of Spread, which each group lowers by 32 bytes', () => {
    const { outbound, room } = bench();
    const template = messageTemplate(SENDER, ['a', 'b', 'c'], {});
    expect(codeOf(() => outbound.send(room, Buffer.alloc(143_120)))).toBe('nothing thrown');
    expect(codeOf(() => outbound.send(room, Buffer.alloc(143_121)))).toBe('MESSAGE_TOO_LONG');
    expect(codeOf(() => outbound.send(room, 'x'.repeat(143_121)))).toBe('MESSAGE_TOO_LONG');
    expect(codeOf(() => outbound.sendScattered(template, [Buffer.alloc(100_000), Buffer.alloc(43_057)]))).toBe(
      'MESSAGE_TOO_LONG',
    );
    expect(codeOf(() => outbound.sendScattered(template, [Buffer.alloc(100_000), Buffer.alloc(43_056)]))).toBe(
      'nothing thrown',
    );
  });

  it('accepts nothing after the end, and rejects pending promises', async () => {
    const { socket, outbound, room } = bench();
    socket.blocked = true;
    outbound.send(room, 'x');
    await settled();
    const waiting = outbound.flushed();
    const reason = new SkeinError('CONNECTION_CLOSED', 'gone');
    outbound.send(room, 'y');
    outbound.abandon(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(outbound.flushed()).rejects.toBe(reason);
    expect(() => outbound.send(room, 'z')).toThrow(reason);
    expect(() => outbound.sendScattered(room, piecesOf(['z']))).toThrow(reason);
    expect(reason.resultCode).toBe(RESULT_CODES.CONNECTION_CLOSED);
    await settled();
    socket.unblock();
    await settled();
    expect(readClientFrames(socket.stream).map((frame) => frame.data.toString())).toEqual(['x']);
  });
});

describe('targets', () => {
  const groups = Array.from({ length: 100 }, (_, i) => `g${i}`);

  it('of more than 43 names are one frame, or several that a genuine daemon delivers', async () => {
    for (const [splitTargets, sizes] of [
      ['never', [100]],
      ['43', [43, 43, 14]],
    ] as const) {
      const { socket, outbound } = bench();
      const target = new Target(outbound, SENDER, groups, {}, { maxTargets: 100, splitTargets });
      target.send('x');
      target.send(['y', 'z']);
      await settled();
      const frames = readClientFrames(socket.stream);
      expect(frames.map((frame) => frame.groups.length)).toEqual([...sizes, ...sizes]);
      expect(frames.flatMap((frame) => frame.groups)).toEqual([...groups, ...groups]);
      expect(new Set(frames.map((frame) => frame.data.toString()))).toEqual(new Set(['x', 'yz']));
    }
  });

  it('of more names than maxTargets are refused', () => {
    const { outbound } = bench();
    const limits = { maxTargets: 43, splitTargets: 'never' } as const;
    expect(codeOf(() => new Target(outbound, SENDER, groups.slice(0, 44), {}, limits))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => new Target(outbound, SENDER, groups.slice(0, 43), {}, limits))).toBe('nothing thrown');
  });

  it('may be an empty list, which reaches nobody', async () => {
    const { socket, outbound } = bench();
    new Target(outbound, SENDER, [], {}, { maxTargets: 100, splitTargets: '43' }).send('x');
    await settled();
    expect(readClientFrames(socket.stream)).toMatchObject([{ groups: [] }]);
  });

  it('are cached by groups and options together', () => {
    const { outbound } = bench();
    const limits = { maxTargets: 100, splitTargets: 'never' } as const;
    const cache = new TargetCache();
    const list = ['a', 'b'];
    const target = new Target(outbound, SENDER, list, { type: 1 }, limits);
    cache.add(target);
    list[0] = 'changed';
    expect(cache.find(['a', 'b'], { type: 1 })).toBe(target);
    for (const [names, options] of [
      [['a', 'b'], undefined],
      [['a', 'b'], { type: 2 }],
      [['a', 'b'], { type: 1, selfDiscard: true }],
      [['a', 'b'], { type: 1, service: 'safe' }],
      [['a'], { type: 1 }],
      ['a', { type: 1 }],
      [['b', 'a'], { type: 1 }],
    ] as const)
      expect(cache.find(names, options)).toBeUndefined();
    for (let i = 0; i < 8; i++) cache.add(new Target(outbound, SENDER, [`g${i}`], {}, limits));
    expect(cache.find(['a', 'b'], { type: 1 })).toBeUndefined();
    expect(cache.find('g7', undefined)).toBeDefined();
  });
});
