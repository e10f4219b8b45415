/** Entry of a `Partner`. */

import { parentPort, workerData } from 'node:worker_threads';
import { SpscQueueConsumer } from '../../engine/buffers/spsc-queue.ts';
import { RECORD_LENGTH_OFFSET } from '../../engine/wire/layout/record-header.ts';
import { alignRecord } from '../../engine/wire/record.ts';
import type { Agent } from '../../workers/agent.ts';
import { BlockingThread, EventLoopThread } from '../../workers/agent-thread.ts';
import { monotonicMs } from '../load/clock.ts';
import { Backoff } from './backoff.ts';
import { DONE, GO, type PartnerInput, STOP } from './partner.ts';

const input = workerData as PartnerInput;
const ready = (): void => parentPort?.postMessage('ready');

function done(words: Int32Array): void {
  Atomics.add(words, DONE, 1);
  Atomics.notify(words, DONE);
}

/** Reads the requested number of records. */
function consume(words: Int32Array, memory: SharedArrayBuffer): void {
  const ring = new SpscQueueConsumer(memory);
  const backoff = new Backoff();
  ready();
  for (;;) {
    Atomics.wait(words, GO, 0);
    const wanted = Atomics.exchange(words, GO, 0);
    if (Atomics.load(words, STOP) === 1) return;
    for (let taken = 0; taken < wanted; ) {
      if (!ring.peek(64 * 1024)) {
        backoff.idle();
        continue;
      }
      backoff.worked();
      const end = ring.offset + ring.lengthBytes;
      for (let at = ring.offset; at < end; taken++)
        at += alignRecord(ring.view.getUint32(at + RECORD_LENGTH_OFFSET, true));
      ring.release(ring.lengthBytes);
    }
    done(words);
  }
}

/** An agent that only reports when it was woken, so that the daemon's thread code is measured. */
class StopwatchAgent implements Agent {
  readonly name = 'stopwatch';
  readonly counters = new Float64Array(8);
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(words: Int32Array, times: Float64Array) {
    this.#words = words;
    this.#times = times;
  }

  doWork(): number {
    if (Atomics.load(this.#words, GO) === 0) return 0;
    this.#times[0] = monotonicMs();
    Atomics.store(this.#words, GO, 0);
    done(this.#words);
    return 1;
  }

  nextDeadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  hasWork(): boolean {
    return Atomics.load(this.#words, GO) !== 0;
  }

  move(): void {}

  drain(): void {}

  hangUp(): void {}

  meet(): void {}

  drained(): boolean {
    return true;
  }

  close(): void {}
}

const now = (): number => performance.now();

if (input.role === 'ring-consumer') consume(input.words, input.ring);
else {
  const { words, times, doorbell, control, wakePort } = input;
  const agents = [new StopwatchAgent(words, times)];
  if (wakePort === null) {
    ready();
    new BlockingThread(agents, { doorbell, control }, now, () => {}).run();
  } else {
    const thread = new EventLoopThread(agents, { doorbell, control }, now, () => wakePort.close());
    wakePort.on('message', () => thread.schedule());
    thread.schedule();
    ready();
  }
}
