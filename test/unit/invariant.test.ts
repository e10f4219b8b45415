/** A broken assumption ends the call before anything is overwritten. */

import { describe, expect, it } from 'vitest';
import { createOrderedLog, LogEntry, LogKind } from '../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../engine/buffers/ordered-log-writer.ts';
import { createSpscQueue, SpscQueueConsumer, SpscQueueProducer } from '../../engine/buffers/spsc-queue.ts';
import { InvariantError, invariant } from '../../engine/invariant.ts';
import { RECORD_KIND_OFFSET } from '../../engine/wire/layout/record-header.ts';
import { MAX_FRAME_LENGTH } from '../../engine/wire/limits.ts';
import { RecordKind } from '../../engine/wire/record.ts';
import { createDaemonMemory } from '../../workers/daemon-memory.ts';
import { LogOutput } from '../../workers/ring/log-output.ts';

const SHAPE = { termBytes: 1024, termBufferCount: 2, indexEntries: 16, readers: 1 };
const EVENTS = {
  sessionEnded: () => {},
  sendGroups: () => {},
  blockClients: () => {},
  frameTooLong: () => {},
  exchangeFault: () => {},
};

describe('invariants', () => {
  it('name the rule', () => {
    expect(() => invariant(true, 'one is one')).not.toThrow();
    expect(() => invariant(false, 'one is two')).toThrow('broken invariant: one is two');
  });

  it('of the ordered log: an entry fits into a term buffer', () => {
    const memory = createOrderedLog(SHAPE);
    const writer = new OrderedLogWriter(memory);
    expect(writer.reserve(1024)).toBe(0);
    const before = writer.bytes.slice();
    expect(() => writer.reserve(1025)).toThrow(InvariantError);
    expect(() => writer.append(new LogEntry().begin(LogKind.Run), -1, 8)).toThrow(InvariantError);
    expect(writer.bytes).toEqual(before);
    expect(writer.tail).toBe(0);
  });

  it('of the ordered log: a term buffer is released as often as it is held', () => {
    const reader = new OrderedLogReader(createOrderedLog(SHAPE), 0);
    reader.hold(1);
    reader.unhold(1);
    expect(() => reader.unhold(1)).toThrow('let go as often as it is held');
  });

  it('of the queues: no more is released than was shown', () => {
    const memory = createSpscQueue(1024);
    const producer = new SpscQueueProducer(memory);
    const consumer = new SpscQueueConsumer(memory);
    producer.view.setUint8(producer.claim(64) + RECORD_KIND_OFFSET, RecordKind.Groups);
    producer.publish();
    expect(consumer.peek(0)).toBe(true);
    expect(() => consumer.release(72)).toThrow(InvariantError);
    consumer.release(64);
    expect(consumer.usedBytes()).toBe(0);
  });

  it('of the memory layout: what the log is asked for fits into it', () => {
    const counters = new Float64Array(128);
    const small = new OrderedLogWriter(createOrderedLog(SHAPE));
    expect(() => new LogOutput({ log: small, counters, events: EVENTS })).toThrow('fits into a term of 1024');
    expect(() => new LogOutput({ log: small, counters, events: EVENTS, room: { bytes: 1024, entries: 17 } })).toThrow(
      'a log index of 16',
    );
    const { log } = createDaemonMemory(1, 1);
    expect(() => new LogOutput({ log: new OrderedLogWriter(log), counters, events: EVENTS })).not.toThrow();
    expect(log.shape.termBytes).toBeGreaterThan(MAX_FRAME_LENGTH);
  });
});
