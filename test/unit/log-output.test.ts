/** Records ordered while the ordered log is full wait, in order, and are never lost. */

import { describe, expect, it } from 'vitest';
import { createCounters, OrderingCounter, ringCounters } from '../../engine/buffers/counters.ts';
import {
  createOrderedLog,
  ENTRY_COUNT,
  ENTRY_FLAGS,
  ENTRY_KIND,
  ENTRY_LENGTH,
  ENTRY_OFFSET,
  ENTRY_SESSION,
  ENTRY_TERM_BUFFER,
  LogKind,
  sessionsFrameHeader,
} from '../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../engine/buffers/ordered-log-writer.ts';
import { writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import { nodeIndex, sessionHandle } from '../../engine/wire/ids.ts';
import { RECORD_HEADER_LENGTH } from '../../engine/wire/layout/record-header.ts';
import { RECORD_SELF_DISCARD, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';
import { LogOutput } from '../../workers/ring/log-output.ts';

const SELF = nodeIndex(0);
/** The agent requests this much room before each span. */
const TERM_BYTES = 256 * 1024;

interface Read {
  readonly kind: number;
  readonly session: number;
  readonly flags: number;
  readonly count: number;
  readonly bytes: Buffer;
}

class Bench {
  readonly writer: OrderedLogWriter;
  readonly reader: OrderedLogReader;
  readonly counters = ringCounters(createCounters(1));
  readonly ended: number[] = [];
  readonly tooLong: (readonly [string, number])[] = [];
  readonly output: LogOutput;

  constructor(indexEntries: number) {
    const memory = createOrderedLog({ termBytes: TERM_BYTES, termBufferCount: 2, indexEntries, readers: 1 });
    this.writer = new OrderedLogWriter(memory);
    this.reader = new OrderedLogReader(memory, 0);
    this.output = new LogOutput({
      log: this.writer,
      counters: this.counters,
      events: {
        sessionEnded: (session) => this.ended.push(session),
        sendGroups: () => {},
        blockClients: () => {},
        exchangeFault: () => {},
        frameTooLong: (group, lengthBytes) => this.tooLong.push([group, lengthBytes]),
      },
    });
  }

  run(session: number, body: Buffer, frames: number, flags = 0, local = true): void {
    const record = Buffer.alloc(RECORD_HEADER_LENGTH + body.length);
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    view.setUint32(0, record.length, true);
    writeRecordHeader(view, 0, RecordKind.Run, AGREED_MESS, flags, session, frames, 0);
    body.copy(record, RECORD_HEADER_LENGTH);
    this.output.run(record, view, 0, SELF, local);
  }

  /** Everything that a delivery agent can read now. */
  read(): readonly Read[] {
    const found: Read[] = [];
    this.writer.publish();
    const { reader } = this;
    while (reader.next()) {
      const word = (offset: number): number => reader.index[reader.entry + offset]!;
      const at = word(ENTRY_TERM_BUFFER) * reader.shape.termBytes + word(ENTRY_OFFSET);
      found.push({
        kind: word(ENTRY_KIND),
        session: word(ENTRY_SESSION),
        flags: word(ENTRY_FLAGS),
        count: word(ENTRY_COUNT),
        bytes: Buffer.from(reader.bytes.subarray(at, at + word(ENTRY_LENGTH))),
      });
    }
    reader.finish();
    return found;
  }
}

it('writes runs, membership frames and news of sessions as the delivery agents read them', () => {
  const bench = new Bench(4096);
  const frame = Buffer.from('a membership frame');
  bench.run(7, Buffer.from('two frames'), 2, RECORD_SELF_DISCARD);
  bench.run(8, Buffer.from('of another daemon'), 1, RECORD_SELF_DISCARD, false);
  bench.output.memberAdded('room', sessionHandle(7));
  bench.output.groupFrame('room', frame, frame.length);
  bench.output.sessionsFrame([sessionHandle(1), sessionHandle(2), sessionHandle(3)], frame, frame.length);
  bench.output.sessionEnded(sessionHandle(7));
  const [run, foreign, added, group, sessions, ended] = bench.read();
  expect(run).toMatchObject({ kind: LogKind.Run, session: 7, count: 2, flags: RECORD_SELF_DISCARD });
  expect(run!.bytes.toString()).toBe('two frames');
  // A session number of another daemon may be one of ours: its sender is not among the receivers here anyway.
  expect(foreign).toMatchObject({ kind: LogKind.Run, flags: 0 });
  expect(added).toMatchObject({ kind: LogKind.MemberAdded, session: 7 });
  expect(added!.bytes.toString('latin1', 0, 5)).toBe('room\0');
  expect(group!.bytes.subarray(32)).toEqual(frame);
  expect([0, 4, 8].map((at) => sessions!.bytes.readUInt32LE(at))).toEqual([1, 2, 3]);
  expect(sessions!.bytes.subarray(sessionsFrameHeader(3))).toEqual(frame);
  expect(ended).toMatchObject({ kind: LogKind.SessionEnded, session: 7 });
  expect(bench.ended).toEqual([7]);
  expect(bench.counters[OrderingCounter.FramesOrdered]).toBe(3);
  expect(bench.counters[OrderingCounter.MembershipFrames]).toBe(2);
});

describe('a log that is full', () => {
  it('queues new records in order, and stops the ring until they are written', () => {
    const bench = new Bench(1024);
    const total = 5000;
    // One ordered record with more consequences than the index has entries.
    for (let i = 0; i < total; i++) {
      const group = Buffer.from(`group ${i}`);
      if (i % 3 === 0) bench.output.groupFrame('room', group, group.length);
      else if (i % 3 === 1) bench.output.memberRemoved(`group ${i}`, sessionHandle(i));
      else bench.output.sessionAccepted(sessionHandle(i));
    }
    expect(bench.output.hasRoom()).toBe(false);
    const found: Read[] = [];
    for (let round = 0; found.length < total; round++) {
      expect(round).toBeLessThan(20);
      const entries = bench.read();
      found.push(...entries);
      // Room is requested once a cycle; waiting records go first.
      expect(bench.output.hasRoom()).toBe(found.length === total);
    }
    for (const [i, entry] of found.entries()) {
      if (i % 3 === 0) expect(entry.bytes.toString('latin1', 32)).toBe(`group ${i}`);
      else if (i % 3 === 1) expect(entry).toMatchObject({ kind: LogKind.MemberRemoved, session: i });
      else expect(entry).toMatchObject({ kind: LogKind.SessionAccepted, session: i });
    }
  });

  it('lets nothing overtake waiting records, although there is room', () => {
    const bench = new Bench(4096);
    const large = Buffer.alloc(TERM_BYTES - 64, 1);
    bench.run(1, large, 1);
    bench.run(2, large, 1);
    bench.run(3, large, 1);
    bench.output.sessionAccepted(sessionHandle(4));
    expect(bench.read().map(({ session }) => session)).toEqual([1, 2]);
    // The reader is in the second term buffer and has released the first.
    expect(bench.output.hasRoom()).toBe(false);
    expect(bench.read().map(({ session }) => session)).toEqual([3, 4]);
    expect(bench.output.hasRoom()).toBe(true);
  });

  it('copies waiting records', () => {
    const bench = new Bench(4096);
    const body = Buffer.alloc(TERM_BYTES - 64, 1);
    for (let session = 1; session <= 3; session++) bench.run(session, body.fill(session), 1);
    body.fill(0xee);
    const seen = [...bench.read()];
    bench.output.hasRoom();
    seen.push(...bench.read());
    expect(seen.map(({ bytes }) => [bytes[0], bytes.at(-1)])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });
});
