/** The queue between threads: within one thread (cost of the code), and between two (also cost of the cache lines). */

import {
  createSpscQueue,
  SpscQueueConsumer,
  SpscQueueProducer,
  writeRecordHeader,
} from '../../../engine/buffers/spsc-queue.ts';
import { RECORD_HEADER_LENGTH, RECORD_LENGTH_OFFSET } from '../../../engine/wire/layout/record-header.ts';
import { alignRecord, RecordKind } from '../../../engine/wire/record.ts';
import { Backoff } from '../backoff.ts';
import { makeFrames } from '../frames.ts';
import type { LoopRow, MicroFamily, SampleRow } from '../micro-row.ts';
import { Partner } from '../partner.ts';

const CAPACITY_BYTES = 1024 * 1024;
/** Records per publication. */
const BATCH = 32;
/** Publications per call, which must take much longer than the timing itself. */
const ROUNDS = 32;

function put(ring: SpscQueueProducer, body: Uint8Array, frames: number): boolean {
  const at = ring.claim(RECORD_HEADER_LENGTH + body.length);
  if (at === -1) return false;
  writeRecordHeader(ring.view, at, RecordKind.Run, 16, 3, 0, frames, 0);
  ring.bytes.set(body, at + RECORD_HEADER_LENGTH);
  return true;
}

function inOneThread(title: string, body: Uint8Array, records: number, framesPerRecord: number): LoopRow {
  const memory = createSpscQueue(CAPACITY_BYTES);
  const producer = new SpscQueueProducer(memory);
  const consumer = new SpscQueueConsumer(memory);
  const transfer = (): void => {
    for (let i = 0; i < records; i++) if (!put(producer, body, framesPerRecord)) throw new Error('the ring is full');
    producer.publish();
    let taken = 0;
    while (consumer.peek(64 * 1024)) {
      const end = consumer.offset + consumer.lengthBytes;
      for (let at = consumer.offset; at < end; taken++) {
        at += alignRecord(consumer.view.getUint32(at + RECORD_LENGTH_OFFSET, true));
      }
      consumer.release(consumer.lengthBytes);
    }
    if (taken !== records) throw new Error(`${taken} of ${records} records taken`);
  };
  return {
    kind: 'loop',
    title,
    operations: records * framesPerRecord * ROUNDS,
    bytesPerOperation: body.length / framesPerRecord,
    decides: true,
    run() {
      for (let round = 0; round < ROUNDS; round++) transfer();
    },
  };
}

/** Large enough that the start and end of a round do not matter. */
const ROUND_BYTES = 16 * 1024 * 1024;

async function betweenThreads(title: string, payloadBytes: number): Promise<SampleRow & { close(): Promise<void> }> {
  const memory = createSpscQueue(CAPACITY_BYTES);
  const producer = new SpscQueueProducer(memory);
  const backoff = new Backoff();
  const body = new Uint8Array(payloadBytes);
  const records = Math.floor(ROUND_BYTES / alignRecord(RECORD_HEADER_LENGTH + payloadBytes));
  const partner = await Partner.start({ role: 'ring-consumer', ring: memory });
  return {
    kind: 'sample',
    title,
    bytesPerOperation: payloadBytes,
    async sample() {
      const startMs = performance.now();
      partner.begin(records);
      for (let i = 0; i < records; ) {
        if (put(producer, body, 1)) {
          i++;
          if (i % BATCH === 0) producer.publish();
          backoff.worked();
        } else {
          producer.publish();
          backoff.idle();
        }
      }
      producer.publish();
      partner.awaitDone();
      return (performance.now() - startMs) / records;
    },
    close: () => partner.stop(),
  };
}

export const ringQueueFamily: MicroFamily = {
  id: 'ring-queue',
  title: 'SPSC ring queue, write and read, per message',
  async prepare() {
    const threads = [
      await betweenThreads('two threads, 64 B records', 64),
      await betweenThreads('two threads, 1 KB records', 1024),
    ];
    return {
      rows: [
        inOneThread('one thread, 64 B records', new Uint8Array(64), BATCH, 1),
        inOneThread('one thread, 1 KB records', new Uint8Array(1024), BATCH, 1),
        inOneThread('one thread, 32 frames of 64 B, a record each', makeFrames(1, 64), 32, 1),
        inOneThread('one thread, 32 frames of 64 B as one run', makeFrames(32, 64), 1, 32),
        ...threads,
      ],
      close: async () => {
        for (const row of threads) await row.close();
      },
    };
  },
};
