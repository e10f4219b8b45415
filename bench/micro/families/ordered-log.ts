/** Appending to the ordered log, publishing and reading in one thread. The bytes are copied once. */

import { createOrderedLog, ENTRY_LENGTH, LogEntry, LogKind } from '../../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../../engine/buffers/ordered-log-writer.ts';
import { AGREED_MESS } from '../../../engine/wire/service.ts';
import { GROUP_HASH, makeFrames } from '../frames.ts';
import type { MicroFamily, MicroRow } from '../micro-row.ts';

const SHAPE = { termBytes: 512 * 1024, termBufferCount: 16, indexEntries: 4096, readers: 1 };
/** Entries per publication, as in one duty cycle of the ring agent. */
const BATCH = 16;

function row(title: string, frames: number, payloadBytes: number): MicroRow {
  const memory = createOrderedLog(SHAPE);
  const writer = new OrderedLogWriter(memory);
  const reader = new OrderedLogReader(memory, 0);
  const run = makeFrames(frames, payloadBytes);
  const entry = new LogEntry();
  return {
    kind: 'loop',
    title,
    operations: BATCH,
    bytesPerOperation: run.length,
    run() {
      for (let i = 0; i < BATCH; i++) {
        if (!writer.hasRoom(1, run.length)) throw new Error('the log is full');
        const at = writer.reserve(run.length);
        writer.bytes.set(run, at);
        entry.begin(LogKind.Run).count = frames;
        entry.service = AGREED_MESS;
        entry.targetHash = GROUP_HASH;
        writer.append(entry, at, run.length);
      }
      writer.publish();
      let bytes = 0;
      while (reader.next()) bytes += reader.index[reader.entry + ENTRY_LENGTH];
      reader.finish();
      if (bytes !== BATCH * run.length) throw new Error('the log lost bytes');
    },
  };
}

export const logFamily: MicroFamily = {
  id: 'ordered-log',
  title: 'ordered log, append and read, per entry',
  prepare: () => ({
    rows: [
      row('1 frame of 64 B', 1, 64),
      row('1 frame of 256 B', 1, 256),
      row('run of 32 frames of 256 B', 32, 256),
      row('1 frame of 8 KB', 1, 8192),
    ],
  }),
};
