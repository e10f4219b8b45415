/** One end of an SPSC queue in a thread of its own: writes the agreed records, or reads and checks every one. */

import { parentPort, workerData } from 'node:worker_threads';
import {
  recordBody,
  SpscQueueConsumer,
  SpscQueueProducer,
  writeRecordHeader,
} from '../../../engine/buffers/spsc-queue.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../../../engine/wire/layout/record-header.ts';
import { alignRecord, RecordKind } from '../../../engine/wire/record.ts';
import { Content, pause, Random, retry } from './random.ts';

export interface SpscThreadInput {
  readonly role: 'producer' | 'consumer';
  readonly memory: SharedArrayBuffer;
  readonly records: number;
  readonly seed: number;
  readonly maxBodyLength: number;
}

export interface SpscThreadResult {
  readonly records: number;
  /** Ranges shown by `peek`. */
  readonly ranges: number;
  /** Times the end of the queue was passed. */
  readonly wraps: number;
}

const PAUSE_ONE_IN = 50_000;

function produce({ memory, records, seed, maxBodyLength }: SpscThreadInput): SpscThreadResult {
  const queue = new SpscQueueProducer(memory);
  const content = new Content(seed, maxBodyLength);
  const random = new Random(seed);
  let wraps = 0;
  let last = 0;
  for (let sequence = 0; sequence < records; sequence++) {
    content.select(sequence);
    let at = -1;
    retry(() => {
      at = queue.claim(RECORD_HEADER_LENGTH + content.length);
      // What was claimed must be published before the consumer can make room.
      if (at === -1) queue.publish();
      return at !== -1;
    }, `room for record ${sequence}`);
    if (at < last) wraps++;
    last = at;
    writeRecordHeader(queue.view, at, RecordKind.Run, 0, 0, sequence, 0, 0);
    content.write(queue.bytes, recordBody(at));
    if (random.below(4) === 0) queue.publish();
    if (random.below(PAUSE_ONE_IN) === 0) pause(1);
  }
  queue.publish();
  return { records, ranges: 0, wraps };
}

function consume({ memory, records, seed, maxBodyLength }: SpscThreadInput): SpscThreadResult {
  const queue = new SpscQueueConsumer(memory);
  const content = new Content(seed, maxBodyLength);
  const random = new Random(seed + 1);
  let sequence = 0;
  let ranges = 0;
  let wraps = 0;
  let last = 0;
  const check = (holds: boolean, what: string, at: number): void => {
    if (!holds) throw new Error(`record ${sequence} at ${at} of ${queue.capacityBytes}: ${what}`);
  };
  while (sequence < records) {
    const maxBytes = random.below(3) === 0 ? 0 : random.below(queue.capacityBytes);
    retry(() => queue.peek(maxBytes), `record ${sequence}`);
    check(queue.lengthBytes > 0, 'empty range', queue.offset);
    if (queue.offset < last) wraps++;
    last = queue.offset;
    ranges++;
    const end = queue.offset + queue.lengthBytes;
    // A consumer may give back less than it was shown, at a record boundary.
    const keepFrom = random.below(5) === 0 ? random.below(queue.lengthBytes) : queue.lengthBytes;
    let at = queue.offset;
    while (at < end && (at === queue.offset || at - queue.offset <= keepFrom)) {
      content.select(sequence);
      const length = queue.view.getUint32(at + RECORD_LENGTH_OFFSET, true);
      check(queue.view.getUint8(at + RECORD_KIND_OFFSET) === RecordKind.Run, 'kind', at);
      check(queue.view.getUint32(at + RECORD_SESSION_OFFSET, true) === sequence, 'sequence', at);
      check(length === RECORD_HEADER_LENGTH + content.length, `length ${length}`, at);
      check(at + alignRecord(length) <= end, 'reaches past its range', at);
      check(content.matches(queue.bytes, recordBody(at)), 'content', at);
      sequence++;
      at += alignRecord(length);
    }
    queue.release(at - queue.offset);
    if (random.below(PAUSE_ONE_IN) === 0) pause(1);
  }
  check(!queue.peek(0), 'more than was sent', queue.offset);
  return { records: sequence, ranges, wraps };
}

const input = workerData as SpscThreadInput;
parentPort!.postMessage(input.role === 'producer' ? produce(input) : consume(input));
