/** The ordered log against a model, and with a writer and two readers in real threads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createOrderedLog,
  ENTRY_LENGTH,
  ENTRY_OFFSET,
  ENTRY_SESSION,
  ENTRY_TERM_BUFFER,
  LogEntry,
  LogKind,
  type OrderedLogShape,
} from '../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../engine/buffers/ordered-log-writer.ts';
import type { OrderedLogThreadInput, OrderedLogThreadResult } from './support/ordered-log-thread.ts';
import { runThread } from './support/threads.ts';

const MILLION = 1_000_000;
const READERS = 2;

type Load = Pick<OrderedLogThreadInput, 'entries' | 'seed' | 'maxLength' | 'holds'>;

/** The middle half of the run is read by readers that hold term buffers. */
async function runThreads(shape: Omit<OrderedLogShape, 'readers'>, load: Load): Promise<OrderedLogThreadResult[]> {
  const common: Omit<OrderedLogThreadInput, 'role' | 'reader'> = {
    ...load,
    memory: createOrderedLog({ ...shape, readers: READERS }),
    holdFrom: load.entries / 4,
    holdTo: (load.entries * 3) / 4,
  };
  const roles = [
    { role: 'writer', reader: -1 } as const,
    ...[0, 1].map((reader) => ({ role: 'reader', reader }) as const),
  ];
  const results = await Promise.all(
    roles.map((role) => runThread<OrderedLogThreadResult>('ordered-log-thread', { ...common, ...role })),
  );
  for (const result of results) expect(result.entries).toBe(load.entries);
  return results;
}

describe('a writer and two readers in threads', () => {
  it('a million entries, each checked; held bytes never change; memory stops growing with the holds', async () => {
    const shape = { termBytes: 4096, termBufferCount: 512, indexEntries: 1024 };
    const maxLength = 300;
    const holds = 40;
    const [writer, ...readers] = await runThreads(shape, { entries: MILLION, seed: 3, maxLength, holds });
    for (const reader of readers) expect(reader.heldRanges).toBeGreaterThan(1000);
    const [before, during, after, end] = writer!.touched;
    // Readers lag by no more than the index holds; every hold keeps one term buffer at most.
    const lag = Math.ceil((shape.indexEntries * maxLength) / shape.termBytes) + 3;
    expect(before).toBeLessThanOrEqual(lag);
    expect(during).toBeGreaterThan(before!);
    expect(during).toBeLessThanOrEqual(lag + READERS * holds);
    expect(end).toBe(after);
  });

  it('works with the smallest log, two term buffers and four entries', async () => {
    const shape = { termBytes: 512, termBufferCount: 2, indexEntries: 4 };
    const [writer] = await runThreads(shape, { entries: 20_000, seed: 5, maxLength: 200, holds: 0 });
    expect(writer!.touched.at(-1)).toBe(2);
  });
});

const SHAPE: OrderedLogShape = { termBytes: 128, termBufferCount: 6, indexEntries: 16, readers: READERS };

interface ModelEntry {
  readonly sequence: number;
  readonly length: number;
}

class ModelReader {
  readonly log: OrderedLogReader;
  /** Published entries from here on were not read. */
  position = 0;
  /** `finish` was last called here. */
  finished = 0;
  readonly held: { readonly termBuffer: number; readonly at: number; readonly entry: ModelEntry }[] = [];

  constructor(log: OrderedLogReader) {
    this.log = log;
  }
}

const fill = (entry: ModelEntry): Uint8Array => new Uint8Array(entry.length).fill(entry.sequence);

const reader = fc.nat({ max: READERS - 1 });
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), length: fc.nat({ max: 128 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), reader, hold: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('finish' as const), reader }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('unhold' as const), reader, index: fc.nat() }) },
);

it('behaves like an array with two cursors, and held bytes stay', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
      const memory = createOrderedLog(SHAPE);
      const writer = new OrderedLogWriter(memory);
      const readers = Array.from({ length: READERS }, (_, i) => new ModelReader(new OrderedLogReader(memory, i)));
      const entries: ModelEntry[] = [];
      const logEntry = new LogEntry();
      let published = 0;
      for (const step of actions) {
        if (step.kind === 'write') {
          const slowest = Math.min(...readers.map(({ finished }) => finished));
          const hasRoom = writer.hasRoom(1, step.length);
          // The index may be full, or every term buffer in use; a full index must be told, whatever the term buffers.
          if (entries.length - slowest >= SHAPE.indexEntries) expect(hasRoom).toBe(false);
          if (!hasRoom) continue;
          const entry = { sequence: entries.length & 0xff, length: step.length };
          const at = writer.reserve(step.length);
          expect(at).toBeGreaterThanOrEqual(0);
          writer.bytes.set(fill(entry), at);
          logEntry.begin(LogKind.Run).count = 1;
          logEntry.session = entry.sequence;
          writer.append(logEntry, at, step.length);
          entries.push(entry);
        } else if (step.kind === 'publish') {
          expect(writer.publish()).toBe(published < entries.length);
          published = entries.length;
        } else {
          const model = readers[step.reader]!;
          const { log } = model;
          if (step.kind === 'read') {
            expect(log.hasMore()).toBe(model.position < published);
            expect(log.next()).toBe(model.position < published);
            if (model.position === published) continue;
            const entry = entries[model.position++]!;
            const termBuffer = log.index[log.entry + ENTRY_TERM_BUFFER]!;
            const at = termBuffer * SHAPE.termBytes + log.index[log.entry + ENTRY_OFFSET]!;
            expect(log.index[log.entry + ENTRY_SESSION]).toBe(entry.sequence);
            expect(log.index[log.entry + ENTRY_LENGTH]).toBe(entry.length);
            expect(log.bytes.slice(at, at + entry.length)).toEqual(fill(entry));
            if (step.hold) {
              log.hold(termBuffer);
              model.held.push({ termBuffer, at, entry });
            }
          } else if (step.kind === 'finish') {
            log.finish();
            model.finished = model.position;
          } else if (model.held.length > 0) {
            const [range] = model.held.splice(step.index % model.held.length, 1);
            log.unhold(range!.termBuffer);
          }
        }
        for (const { log, held } of readers) {
          for (const { at, entry } of held) expect(log.bytes.slice(at, at + entry.length)).toEqual(fill(entry));
        }
      }
      // Once everything is read and released, the log takes as much as when it was new.
      writer.publish();
      for (const { log, held } of readers) {
        while (log.next());
        log.finish();
        for (const { termBuffer } of held) log.unhold(termBuffer);
      }
      expect(writer.hasRoom(SHAPE.indexEntries, SHAPE.termBytes)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
