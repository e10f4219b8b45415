/** The SPSC queue against a model, and under two real threads. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createSpscQueue,
  maxRecordLength,
  recordBody,
  SpscQueueConsumer,
  SpscQueueProducer,
  writeRecordHeader,
} from '../../engine/buffers/spsc-queue.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { alignRecord, RecordKind } from '../../engine/wire/record.ts';
import type { SpscThreadInput, SpscThreadResult } from './support/spsc-thread.ts';
import { runThread } from './support/threads.ts';

const MILLION = 1_000_000;

async function runBothEnds(capacityBytes: number, records: number, seed: number): Promise<void> {
  const maxBodyLength = Math.min(maxRecordLength(capacityBytes) - RECORD_HEADER_LENGTH, 400);
  const ends: Omit<SpscThreadInput, 'role'> = { memory: createSpscQueue(capacityBytes), records, seed, maxBodyLength };
  const [produced, consumed] = await Promise.all(
    (['producer', 'consumer'] as const).map((role) => runThread<SpscThreadResult>('spsc-thread', { ...ends, role })),
  );
  expect(consumed!.records).toBe(records);
  expect(consumed!.ranges).toBeGreaterThan(0);
  // The queue must have wrapped many times.
  expect(produced!.wraps).toBeGreaterThan((records * RECORD_HEADER_LENGTH) / capacityBytes / 2);
}

describe('two threads', () => {
  it('a million records of random lengths, each checked', () => runBothEnds(64 * 1024, MILLION, 7));

  for (const [capacityBytes, records] of [
    [1024, 30_000],
    [4096, 60_000],
  ] as const) {
    it(`${records} records through ${capacityBytes} bytes`, () => runBothEnds(capacityBytes, records, capacityBytes));
  }
});

interface ModelRecord {
  readonly sequence: number;
  readonly body: Uint8Array;
}

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('claim' as const), length: fc.nat({ max: 488 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('publish' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      maxBytes: fc.nat({ max: 1100 }),
      share: fc.nat({ max: 4 }),
    }),
  },
);

it('behaves like a queue of records, whatever the order of claims, publications and reads', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const memory = createSpscQueue(1024);
      const producer = new SpscQueueProducer(memory);
      const consumer = new SpscQueueConsumer(memory);
      const claimed: ModelRecord[] = [];
      const published: ModelRecord[] = [];
      let sequence = 0;
      for (const step of actions) {
        if (step.kind === 'claim') {
          const at = producer.claim(RECORD_HEADER_LENGTH + step.length);
          const isEmpty = claimed.length === 0 && published.length === 0;
          if (isEmpty) expect(at).toBeGreaterThanOrEqual(0);
          if (at === -1) continue;
          const body = new Uint8Array(step.length).fill(sequence & 0xff);
          writeRecordHeader(producer.view, at, RecordKind.Run, 0, 0, sequence, 0, 0);
          producer.bytes.set(body, recordBody(at));
          claimed.push({ sequence: sequence++, body });
        } else if (step.kind === 'publish') {
          expect(producer.publish()).toBe(claimed.length > 0);
          published.push(...claimed.splice(0));
        } else {
          expect(consumer.peek(step.maxBytes)).toBe(published.length > 0);
          if (published.length === 0) continue;
          const lengths: number[] = [];
          for (let at = consumer.offset; at < consumer.offset + consumer.lengthBytes; ) {
            const expected = published[lengths.length]!;
            const length = consumer.view.getUint32(at + RECORD_LENGTH_OFFSET, true);
            expect(consumer.view.getUint32(at + RECORD_SESSION_OFFSET, true)).toBe(expected.sequence);
            expect(consumer.bytes.slice(recordBody(at), at + length)).toEqual(expected.body);
            lengths.push(alignRecord(length));
            at += alignRecord(length);
          }
          const shown = lengths.reduce((sum, length) => sum + length, 0);
          expect(shown).toBe(consumer.lengthBytes);
          // One record is always shown; several only while they fit.
          expect(lengths.length === 1 || shown <= step.maxBytes).toBe(true);
          const taken = Math.max(1, Math.ceil((lengths.length * step.share) / 4));
          consumer.release(lengths.slice(0, taken).reduce((sum, length) => sum + length, 0));
          published.splice(0, taken);
        }
        if (claimed.length === 0 && published.length === 0) expect(consumer.usedBytes()).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});

it('takes the longest record at every position once it is empty', () => {
  for (let offset = 0; offset < 1024; offset += 8) {
    const memory = createSpscQueue(1024);
    const producer = new SpscQueueProducer(memory);
    const consumer = new SpscQueueConsumer(memory);
    for (let moved = 0; moved < offset; moved += 8) {
      producer.view.setUint8(producer.claim(8) + RECORD_KIND_OFFSET, RecordKind.Run);
      producer.publish();
      expect(consumer.peek(0)).toBe(true);
      consumer.release(8);
    }
    expect(producer.claim(maxRecordLength(1024)), `tail at ${offset}`).not.toBe(-1);
  }
});
