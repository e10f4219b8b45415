/**
 * However a stream is cut, and in either byte order, its events are the same; and no stream crashes the
 * client.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReceivedEvent } from '../../client/index.ts';
import { loadCapture, sessionCaptureNames, splitCapture, toBigEndian } from '../unit/client-captures.ts';
import {
  FIFO,
  frame,
  message,
  ReceiverBench,
  selfLeaveFrame,
  transitionFrame,
  viewFrame,
} from '../unit/client-frames.ts';

interface Stream {
  readonly name: string;
  readonly self: string;
  readonly bytes: Buffer;
}

const recorded: readonly Stream[] = sessionCaptureNames
  .map((name) => {
    const capture = splitCapture(loadCapture(name));
    return { name, self: capture.accept.subarray(5).toString(), bytes: capture.daemonFrames };
  })
  .filter(({ bytes }) => bytes.length > 0);

const made: Stream = {
  name: 'made: every kind of frame, and frames longer than the receive buffer',
  self: '#alice#localhost',
  bytes: Buffer.concat([
    viewFrame({ group: 'room', members: ['#alice#localhost'] }),
    message(''),
    frame({ type: FIFO, sender: '#bob#x', groups: [], data: 'to nobody' }),
    message(Buffer.alloc(140_000, 'x')),
    transitionFrame('room', [1, 2, 3]),
    frame({
      type: 0x0040_0000,
      sender: '#alice#localhost',
      groups: ['g', '#alice#localhost'],
      oldType: 0x10,
      data: 'no',
    }),
    message(Buffer.alloc(70_000, 'y')),
    selfLeaveFrame('room'),
    viewFrame({ group: 'big', members: Array.from({ length: 2200 }, (_, i) => `#u${i}#d`), cause: 'network' }),
  ]),
};
const streams = [...recorded, made];

/** Events with long data replaced by its hash: comparing it byte by byte is slow. */
const comparable = (events: readonly ReceivedEvent[]): readonly unknown[] =>
  events.map((event) =>
    'data' in event ? { ...event, data: createHash('sha1').update(event.data).digest('hex') } : event,
  );

function eventsOf(stream: Stream, bytes: Buffer, cuts: readonly number[] = []): readonly unknown[] {
  const bench = new ReceiverBench(stream.self);
  const borders = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < borders.length; i++) bench.feed(bytes.subarray(borders[i - 1], borders[i]));
  if (bench.failure !== undefined) throw bench.failure;
  return comparable(bench.events);
}

/** The same through the batch cursor, its frames turned into events one by one. */
function batchEventsOf(stream: Stream, cuts: readonly number[]): readonly unknown[] {
  const bench = new ReceiverBench(stream.self);
  bench.listening = false;
  bench.receiver.setBatchHandler((batch) => {
    let count = 0;
    for (; batch.next(); count++) bench.events.push(batch.event());
    expect(count).toBe(batch.length);
  });
  const borders = [
    0,
    ...[...cuts].map((cut) => cut % (stream.bytes.length + 1)).sort((a, b) => a - b),
    stream.bytes.length,
  ];
  for (let i = 1; i < borders.length; i++) bench.feed(stream.bytes.subarray(borders[i - 1], borders[i]));
  return comparable(bench.events);
}

const anyCuts = fc.array(fc.nat(1_000_000), { maxLength: 12 });

describe.each(streams.map((stream) => [stream.name, stream] as const))('the stream of %s', (_, stream) => {
  const whole = eventsOf(stream, stream.bytes);

  it('may be cut anywhere', () => {
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        expect(eventsOf(stream, stream.bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  it('may be cut anywhere for batches', () => {
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        expect(batchEventsOf(stream, cuts)).toEqual(whole);
      }),
      { numRuns: 5 },
    );
  });
});

describe('a recorded stream', () => {
  it.each(recorded.map((stream) => [stream.name, stream] as const))('of %s may come byte by byte', (_, stream) => {
    const cuts = Array.from({ length: Math.min(stream.bytes.length, 2000) }, (__, i) => i);
    expect(eventsOf(stream, stream.bytes, cuts)).toEqual(eventsOf(stream, stream.bytes));
  });

  it.each(recorded.map((stream) => [stream.name, stream] as const))(
    'of %s may come from a big-endian daemon',
    (_, stream) => {
      const swapped = toBigEndian(stream.bytes);
      expect(swapped.equals(stream.bytes)).toBe(false);
      expect(eventsOf(stream, swapped)).toEqual(eventsOf(stream, stream.bytes));
    },
  );
});

describe('a broken stream', () => {
  const mutation = fc.record({ at: fc.nat(), value: fc.nat(255) });

  it('ends with ILLEGAL_MESSAGE or continues, whatever is changed in it', () => {
    let broken = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...recorded),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        anyCuts,
        (stream, changes, cuts) => {
          const bytes = Buffer.from(stream.bytes);
          for (const { at, value } of changes) bytes[at % bytes.length] = value;
          try {
            eventsOf(stream, bytes, cuts);
          } catch (error) {
            broken++;
            expect(error).toMatchObject({ name: 'SkeinError', code: 'ILLEGAL_MESSAGE' });
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(broken).toBeGreaterThan(0);
  });

  it('ends with ILLEGAL_MESSAGE or waits for more, when it is nothing but noise', () => {
    let broken = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 400 }), fc.nat(5), fc.nat(200), (noise, groups, length) => {
        // Random counts are so large that no frame would ever be complete.
        const view = new DataView(noise.buffer, noise.byteOffset);
        view.setUint32(36, groups, true);
        view.setUint32(44, length, true);
        const bench = new ReceiverBench();
        bench.feed(noise);
        if (bench.failure === undefined) return;
        broken++;
        expect(bench.failure.code).toBe('ILLEGAL_MESSAGE');
      }),
      { numRuns: 500 },
    );
    expect(broken).toBeGreaterThan(0);
  });
});
