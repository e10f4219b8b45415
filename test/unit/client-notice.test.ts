/** Notices of a daemon: their bytes, and how the library handles them in every way of receiving. */
import { describe, expect, it } from 'vitest';
import { type DrainNotice, decodeDrainNotice, encodeDrainNotice } from '../../engine/wire/drain-notice.ts';
import { FRAME_GROUPS_OFFSET } from '../../engine/wire/layout/frame-header.ts';
import * as service from '../../engine/wire/service.ts';
import { frame, ReceiverBench, transitionFrame } from './client-frames.ts';

const NOTICE: DrainNotice = { msLeft: 21_000, addresses: ['192.0.2.7:4803', 'tls://192.0.2.8:4805'] };
const encoded = (notice: DrainNotice = NOTICE): Buffer => Buffer.from(encodeDrainNotice('berlin', notice));
const decoded = (bytes: Uint8Array): DrainNotice | null =>
  decodeDrainNotice(bytes, FRAME_GROUPS_OFFSET, bytes.length - FRAME_GROUPS_OFFSET);
const message = (text: string): Buffer =>
  frame({ type: 0x10, sender: '#bob#paris', groups: ['room'], data: Buffer.from(text) });
/** With a body of `data`. */
const notice = (data: readonly number[]): Buffer =>
  frame({ type: service.NOTICE_MESS, sender: '#skein#berlin', data: Buffer.from(data) });

describe('a drain notice', () => {
  it('has the bytes of client-protocol.md, 5.7', () => {
    const bytes = encoded({ msLeft: 0x01020304, addresses: ['a:1'] });
    expect(bytes.subarray(0, 4).toString('hex')).toBe('80000082');
    expect(bytes.subarray(4, 36).toString('latin1').replaceAll('\0', '')).toBe('#skein#berlin');
    expect(bytes.readInt32LE(36)).toBe(0);
    expect(bytes.subarray(48).toString('hex')).toBe(`0104030201${'01'}03${Buffer.from('a:1').toString('hex')}`);
  });

  it.each<DrainNotice>([
    NOTICE,
    { msLeft: 0, addresses: [] },
    { msLeft: 0xffff_ffff, addresses: Array.from({ length: 127 }, (_, i) => `192.0.2.${i}:65535`) },
    { msLeft: 1, addresses: ['', 'x'.repeat(255)] },
  ])('is read as it was written %#', (given) => {
    expect(decoded(encoded(given))).toEqual(given);
  });

  it('has no field beyond its limits', () => {
    const many = Array.from({ length: 300 }, (_, i) => `${i}`);
    expect(decoded(encoded({ msLeft: -5, addresses: ['x'.repeat(256), ...many] }))).toEqual({
      msLeft: 0,
      addresses: many.slice(0, 255),
    });
    expect(decoded(encoded({ msLeft: 2 ** 40, addresses: [] }))?.msLeft).toBe(0xffff_ffff);
  });

  it('is ignored when its kind is unknown, and may have more bytes after its fields', () => {
    expect(decodeDrainNotice(Uint8Array.of(2), 0, 1)).toBeNull();
    expect(decodeDrainNotice(Uint8Array.of(1, 9, 0, 0, 0, 0, 77, 78), 0, 8)).toEqual({ msLeft: 9, addresses: [] });
  });

  it('is refused wherever it is cut', () => {
    const data = encoded().subarray(FRAME_GROUPS_OFFSET);
    for (let length = 0; length < data.length; length++)
      expect(() => decodeDrainNotice(data, 0, length), `${length} bytes`).toThrow(/length of the data of a notice/);
  });
});

describe('the receiver', () => {
  it('emits it in order with the other events', () => {
    for (const piece of [1, 7, 4096]) {
      const bench = new ReceiverBench();
      const stream = Buffer.concat([
        encoded(),
        message('a'),
        message('b'),
        encoded(),
        transitionFrame('room', [1, 2, 3]),
      ]);
      for (let at = 0; at < stream.length; at += piece) bench.feed(stream.subarray(at, at + piece));
      expect(bench.failure).toBeUndefined();
      expect(bench.events.map(({ kind }) => kind)).toEqual(['message', 'message', 'transition']);
      expect(bench.notices).toEqual([
        { notice: NOTICE, eventsBefore: 0 },
        { notice: NOTICE, eventsBefore: 2 },
      ]);
    }
  });

  it('emits it although nobody takes frames, and does not queue it', async () => {
    const bench = new ReceiverBench();
    bench.listening = false;
    bench.feed(Buffer.concat([message('a'), encoded(), encoded()]));
    expect(bench.notices).toHaveLength(2);
    expect(await bench.receiver.next()).toMatchObject({ value: { kind: 'message' }, done: false });
    bench.feed(Buffer.concat([encoded(), message('b')]));
    expect(await bench.receiver.next()).toMatchObject({ value: { kind: 'message' }, done: false });
  });

  it('keeps it out of batches', () => {
    const bench = new ReceiverBench();
    const seen: string[] = [];
    bench.receiver.setBatchHandler((batch) => {
      let frames = 0;
      while (batch.next()) {
        frames++;
        seen.push(batch.data().toString());
      }
      expect(frames).toBe(batch.length);
    });
    bench.feed(Buffer.concat([message('a'), encoded(), message('b'), message('c'), encoded()]));
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(bench.notices).toHaveLength(2);
  });

  it('drops unknown kinds and continues', () => {
    const bench = new ReceiverBench();
    bench.feed(Buffer.concat([notice([2, 1, 2]), notice([255]), message('a')]));
    expect([bench.failure, bench.notices.length, bench.events.length]).toEqual([undefined, 0, 1]);
  });

  it.each([[[]], [[1]], [[1, 0, 0, 0, 0, 1]], [[1, 0, 0, 0, 0, 1, 5, 65]]])(
    'ends a stream with the cut notice %j',
    (data) => {
      const bench = new ReceiverBench();
      bench.feed(Buffer.concat([message('a'), notice(data), message('b')]));
      expect(bench.failure).toMatchObject({ code: 'ILLEGAL_MESSAGE' });
      expect(bench.failure?.message).toMatch(/notice/);
      expect(bench.events).toHaveLength(1);
    },
  );

  it('does not treat a frame with another bit as a notice', () => {
    for (const bit of [0x100, 0x1000, 0x2000, 0x40_0000, 0x100_0000, 0x4000_0000]) {
      expect(service.isNotice(service.NOTICE_MESS | service.ENDIAN_FLAG | bit)).toBe(false);
    }
    expect(service.isNotice(service.NOTICE_MESS | service.ENDIAN_FLAG)).toBe(true);
  });
});

describe('the bit of notices', () => {
  it('is in no other constant of the wire', () => {
    for (const [name, value] of Object.entries(service)) {
      if (typeof value !== 'number' || name === 'NOTICE_MESS' || name === 'FORBIDDEN_CLIENT_BITS') continue;
      expect(value & service.NOTICE_MESS, name).toBe(0);
    }
    expect(service.FORBIDDEN_CLIENT_BITS & service.NOTICE_MESS).not.toBe(0);
  });
});
