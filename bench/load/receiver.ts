import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { monotonicMs } from './clock.ts';
import { Connection, ScratchBuffer } from './connection.ts';
import {
  connectionName,
  createHistogram,
  type LoadTask,
  type ReceiveResult,
  recordingStride,
  toHistogramValue,
} from './load-task.ts';
import { PAYLOAD_DUE, PAYLOAD_RUN, PAYLOAD_SENDER, PAYLOAD_SEQUENCE } from './payload.ts';
import type { PayloadSink } from './protocol.ts';
import { createClient } from './protocols/create-client.ts';
import {
  groupOfReceiver,
  PHASE,
  PHASE_CLOSE,
  READY,
  receivedAt,
  type SharedState,
  TIME_FROM,
  TIME_TO,
} from './shared-state.ts';

const POLL_MS = 10;

/** Shared by the receivers of a thread: the time of the chunk being read, the measured interval, the histogram. */
class Recorder {
  readonly histogram = createHistogram();
  readonly stride: number;
  nowMs = 0;
  fromMs = Number.POSITIVE_INFINITY;
  toMs = Number.POSITIVE_INFINITY;
  measured = 0;

  constructor(stride: number) {
    this.stride = stride;
  }
}

/** Checks the sequence numbers of one receiver and, in open-loop runs, records latency. */
class Receiver implements PayloadSink {
  readonly expected: Int32Array;
  gaps = 0;
  disorder = 0;
  total = 0;
  orderHash = 0x811c_9dc5 | 0;
  readonly #run: number;
  readonly #payloadBytes: number;
  readonly #timed: boolean;
  readonly #recorder: Recorder;

  constructor(task: LoadTask, recorder: Recorder) {
    this.expected = new Int32Array(task.state.topology.senders);
    this.#run = task.run;
    this.#payloadBytes = task.payloadBytes;
    this.#timed = task.pacing.kind === 'open';
    this.#recorder = recorder;
  }

  onPayload(view: DataView, offset: number, lengthBytes: number): void {
    if (lengthBytes !== this.#payloadBytes) throw new Error(`payload of ${lengthBytes} bytes`);
    if (view.getUint32(offset + PAYLOAD_RUN, true) !== this.#run) throw new Error('message of another run');
    const sender = view.getUint32(offset + PAYLOAD_SENDER, true);
    const sequence = view.getUint32(offset + PAYLOAD_SEQUENCE, true);
    const expected = this.expected[sender];
    if (sequence === expected) {
      this.expected[sender] = sequence + 1;
    } else if (sequence > expected) {
      this.gaps += sequence - expected;
      this.expected[sender] = sequence + 1;
    } else {
      this.disorder++;
    }
    this.total++;
    this.orderHash = Math.imul(this.orderHash ^ sequence ^ (sender << 20), 0x0100_0193);
    const recorder = this.#recorder;
    if (!this.#timed) {
      if (recorder.nowMs >= recorder.fromMs && recorder.nowMs < recorder.toMs) recorder.measured++;
      return;
    }
    const dueMs = view.getFloat64(offset + PAYLOAD_DUE, true);
    if (dueMs < recorder.fromMs || dueMs >= recorder.toMs) return;
    if (recorder.measured++ % recorder.stride === 0) {
      recorder.histogram.recordValue(toHistogramValue(recorder.nowMs - dueMs));
    }
  }
}

function publishProgress(state: SharedState, index: number, receiver: Receiver): void {
  const at = receivedAt(state.topology, index);
  for (let sender = 0; sender < receiver.expected.length; sender++) {
    Atomics.store(state.words, at + sender, receiver.expected[sender]);
  }
}

/** Deliveries per second to the receivers of `task` in an open-loop run. */
function expectedDeliveriesPerSecond(task: LoadTask): number {
  if (task.pacing.kind === 'closed') return 0;
  return (task.pacing.ratePerSecond * task.connections.length) / task.state.topology.groups;
}

/** Runs the receivers of `task` until the coordinating thread ends the run. */
export async function receive(task: LoadTask): Promise<ReceiveResult> {
  const { state } = task;
  const scratch = new ScratchBuffer();
  const recorder = new Recorder(recordingStride(expectedDeliveriesPerSecond(task)));
  const receivers: Receiver[] = [];
  const connections: Connection[] = [];
  let readyCount = 0;
  await new Promise<void>((resolve, reject) => {
    for (const index of task.connections) {
      const receiver = new Receiver(task, recorder);
      const group = task.groupNames[groupOfReceiver(state.topology, index)];
      const client = createClient(task.protocol, {
        name: connectionName('receive', task.run, index),
        group,
        sink: receiver,
      });
      let counted = false;
      const endpoint = task.endpoints[index % task.endpoints.length];
      const connection = new Connection(endpoint, client, scratch, {
        beforeChunk() {
          recorder.nowMs = monotonicMs();
        },
        onChunk() {
          if (counted) publishProgress(state, index, receiver);
          else if (client.ready) {
            counted = true;
            if (++readyCount === task.connections.length) Atomics.add(state.words, READY, 1);
          }
        },
        onDrain() {},
        onFailure: (error) => reject(new Error(`receiver ${index}: ${error.message}`)),
      });
      receivers.push(receiver);
      connections.push(connection);
    }
    const poll = setInterval(() => {
      recorder.fromMs = state.times[TIME_FROM] || Number.POSITIVE_INFINITY;
      recorder.toMs = state.times[TIME_TO] || Number.POSITIVE_INFINITY;
      if (Atomics.load(state.words, PHASE) !== PHASE_CLOSE) return;
      clearInterval(poll);
      resolve();
    }, POLL_MS);
  }).finally(() => {
    for (const connection of connections) connection.close();
  });
  return {
    role: 'receive',
    measured: recorder.measured,
    total: receivers.reduce((sum, receiver) => sum + receiver.total, 0),
    gaps: receivers.reduce((sum, receiver) => sum + receiver.gaps, 0),
    disorder: receivers.reduce((sum, receiver) => sum + receiver.disorder, 0),
    orderHashes: receivers.map((receiver) => receiver.orderHash),
    latency: task.pacing.kind === 'open' ? encodeIntoCompressedBase64(recorder.histogram) : null,
  };
}
