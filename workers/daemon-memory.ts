/** All shared memory of one daemon. Plain data: it travels to worker threads as `workerData`. */
import { createControlWords } from '../engine/buffers/control-words.ts';
import { type CountersMemory, createCounters } from '../engine/buffers/counters.ts';
import { createDoorbell } from '../engine/buffers/doorbell.ts';
import { createOrderedLog, type OrderedLogMemory } from '../engine/buffers/ordered-log.ts';
import { createRateTable, FEWEST_TABLE_SESSIONS } from '../engine/buffers/rate-table.ts';
import { createSpscQueue } from '../engine/buffers/spsc-queue.ts';
import { createThreadControl, type ThreadMemory } from './agent-thread.ts';

/** A record holds a frame of at most 144,000 bytes, and half the queue always takes a record. */
const SUBMIT_QUEUE_BYTES = 1024 * 1024;
const REQUEST_QUEUE_BYTES = 64 * 1024;
/** Twice what the ring's windows allow in flight with the largest datagrams. */
const DATAGRAM_QUEUE_BYTES = 4 * 1024 * 1024;
/** Longer than the longest run; small, so that a write in flight to a slow client holds little. */
const LOG_TERM_BYTES = 512 * 1024;
/**
 * Of each reader. For a delivery worker: what its clients' writes in flight may hold (session-output.ts), as much again to work with, and
 * some.
 */
const LOG_TERM_BUFFERS_PER_READER = 128;
/** Address space for the log at most; memory is used only as far as it is touched, and then kept. */
const LOG_MAX_BYTES = 1024 * 1024 * 1024;
const LOG_INDEX_ENTRIES = 32 * 1024;

export interface DaemonMemory {
  readonly log: OrderedLogMemory;
  /** One per delivery worker: ordered records, and requests for names. */
  readonly submit: readonly SharedArrayBuffer[];
  readonly requests: readonly SharedArrayBuffer[];
  readonly inbound: SharedArrayBuffer;
  readonly outbound: SharedArrayBuffer;
  readonly counters: CountersMemory;
  /** Limits of users and addresses, of all delivery workers. */
  readonly rates: SharedArrayBuffer;
  /** By which agents steer each other (engine/buffers/control-words.ts). */
  readonly words: SharedArrayBuffer;
  /** One per thread. */
  readonly threads: readonly ThreadMemory[];
}

/** @param logReaders agents that read the ordered log, delivery workers among them (`log-readers.ts`) */
export function createDaemonMemory(
  deliveryWorkers: number,
  threads: number,
  logReaders: number = deliveryWorkers,
  maxSessions = 4096,
): DaemonMemory {
  const workers = Array.from({ length: deliveryWorkers });
  const termBuffers = Math.min(logReaders * LOG_TERM_BUFFERS_PER_READER, LOG_MAX_BYTES / LOG_TERM_BYTES);
  return {
    log: createOrderedLog({
      termBytes: LOG_TERM_BYTES,
      termBufferCount: termBuffers,
      indexEntries: LOG_INDEX_ENTRIES,
      readers: logReaders,
    }),
    submit: workers.map(() => createSpscQueue(SUBMIT_QUEUE_BYTES)),
    requests: workers.map(() => createSpscQueue(REQUEST_QUEUE_BYTES)),
    inbound: createSpscQueue(DATAGRAM_QUEUE_BYTES),
    outbound: createSpscQueue(DATAGRAM_QUEUE_BYTES),
    counters: createCounters(deliveryWorkers),
    rates: createRateTable(Math.max(maxSessions, FEWEST_TABLE_SESSIONS)),
    words: createControlWords(deliveryWorkers),
    threads: Array.from({ length: threads }, () => ({ control: createThreadControl(), doorbell: createDoorbell() })),
  };
}
