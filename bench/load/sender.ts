import { encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { monotonicMs } from './clock.ts';
import { Connection, ScratchBuffer } from './connection.ts';
import {
  connectionName,
  createHistogram,
  type LoadTask,
  type Pacing,
  recordingStride,
  type SendResult,
  toHistogramValue,
} from './load-task.ts';
import { MessageCycle } from './message-cycle.ts';
import { createClient } from './protocols/create-client.ts';
import {
  DONE,
  groupOfReceiver,
  PHASE,
  PHASE_CLOSE,
  PHASE_CONNECT,
  READY,
  receivedAt,
  type SharedState,
  SLEEP,
  sentAt,
  TIME_FROM,
  TIME_START,
  TIME_TO,
} from './shared-state.ts';

/** Limit of one write, so that a batch of large messages does not have megabytes. */
const MAX_WRITE_BYTES = 256 * 1024;
/** Writes of one connection before the event loop gets a turn. */
const WRITES_PER_TURN = 16;
const MIN_SLEEP_MS = 0.05;
const MAX_SLEEP_MS = 2;
/**
 * An open-loop sender sleeps until shortly before a message is due, then polls the clock: at most this long, which covers the usual delay of
 * a wake-up, and at most this share of the interval. More would take a core from the system under test, and on a machine with few cores the
 * generator would measure itself.
 */
const MAX_SPIN_MS = 0.15;
const SPIN_SHARE = 0.6;
/** An open-loop sender gives its event loop a turn at least this often. */
const TURN_MS = 1;
const RETRY_MS = 1;
/** Between warm-up and measurement. */
const SETTLE_MS = 200;

const noSink = { onPayload(): void {} };

/** One sending connection with its own sequence numbers and window. */
class Sender {
  readonly connection: Connection;
  readonly cycle: MessageCycle;
  cursor = 0;
  readonly #state: SharedState;
  readonly #index: number;
  readonly #sent: Int32Array;
  /** For each group, the sequence number that must not be reached before the receivers make progress. */
  readonly #limit: Int32Array;
  readonly #windowPerGroup: number;

  constructor(task: LoadTask, index: number, connection: Connection, framesPerWrite: number) {
    const { topology } = task.state;
    this.connection = connection;
    this.#state = task.state;
    this.#index = index;
    this.#sent = new Int32Array(topology.groups);
    const window = task.pacing.kind === 'closed' ? task.pacing.windowMessages : 0x3fff_ffff;
    this.#windowPerGroup = Math.max(2, Math.floor(window / topology.senders / topology.groups));
    this.#limit = new Int32Array(topology.groups).fill(this.#windowPerGroup);
    this.cycle = new MessageCycle({
      client: connection.client,
      run: task.run,
      sender: index,
      payloadBytes: task.payloadBytes,
      groupNames: task.groupNames,
      frames: framesPerWrite,
    });
  }

  /** How many of the next `wanted` messages the window allows, without wrapping the cycle. With one group: all or none. */
  allowed(wanted: number): number {
    const end = Math.min(this.cursor + wanted, this.cycle.length);
    const { groups } = this.cycle;
    if (this.#sent.length === 1) {
      const whole = Math.min(end - this.cursor, this.#windowPerGroup);
      if (this.#limit[0] - this.#sent[0] < whole) this.#refresh(0);
      return this.#limit[0] - this.#sent[0] < whole ? 0 : whole;
    }
    for (let i = this.cursor; i < end; i++) {
      const group = groups[i];
      if (this.#sent[group] >= this.#limit[group] && !this.#refresh(group)) return i - this.cursor;
    }
    return end - this.cursor;
  }

  /** Free share of the window; only meaningful with one group. */
  freeShare(): number {
    this.#refresh(0);
    return (this.#limit[0] - this.#sent[0]) / this.#windowPerGroup;
  }

  /** Sends `count` messages in one write. Returns false when the socket is full. */
  send(count: number): boolean {
    const from = this.cursor;
    const to = from + count;
    for (let i = from; i < to; i++) this.cycle.setSequence(i, this.#sent[this.cycle.groups[i]]++);
    this.#publishSent(from, to);
    this.cursor = to === this.cycle.length ? 0 : to;
    this.connection.socket.write(this.cycle.slice(from, to));
    return this.blocked === false;
  }

  /** The kernel has not taken all bytes yet, so the cycle must not change. */
  get blocked(): boolean {
    return this.connection.socket.writableLength > 0;
  }

  #publishSent(from: number, to: number): void {
    const at = sentAt(this.#state.topology, this.#index);
    if (this.#sent.length === 1) {
      Atomics.store(this.#state.words, at, this.#sent[0]);
      return;
    }
    for (let i = from; i < to; i++) {
      const group = this.cycle.groups[i];
      Atomics.store(this.#state.words, at + group, this.#sent[group]);
    }
  }

  /** Moves the limit of `group` to the slowest of its receivers plus the window. */
  #refresh(group: number): boolean {
    const { topology, words } = this.#state;
    let slowest = 0x7fff_ffff;
    for (let receiver = group; receiver < topology.receivers; receiver += topology.groups) {
      if (groupOfReceiver(topology, receiver) !== group) continue;
      const taken = Atomics.load(words, receivedAt(topology, receiver) + this.#index);
      if (taken < slowest) slowest = taken;
    }
    this.#limit[group] = slowest + this.#windowPerGroup;
    return this.#sent[group] < this.#limit[group];
  }
}

const sleep = (state: SharedState, durationMs: number): void => {
  Atomics.wait(state.words, SLEEP, 0, durationMs);
};

/** Sends as fast as the windows allow until the measured interval is over. */
function runClosed(task: LoadTask, senders: readonly Sender[], batch: number, done: () => void): () => void {
  const { state } = task;
  const endMs = state.times[TIME_TO];
  let sleepMs = MIN_SLEEP_MS;
  let waiting = false;
  const turn = (): void => {
    if (waiting) return;
    if (monotonicMs() >= endMs || Atomics.load(state.words, PHASE) === PHASE_CLOSE) {
      done();
      return;
    }
    let progressed = false;
    let blocked = 0;
    for (const sender of senders) {
      for (let writes = 0; writes < WRITES_PER_TURN && !sender.blocked; writes++) {
        const count = sender.allowed(batch);
        if (count <= 0) break;
        progressed = true;
        if (!sender.send(count)) break;
      }
      if (sender.blocked) blocked++;
    }
    if (!progressed && blocked > 0) {
      waiting = true;
      setTimeout(resume, RETRY_MS);
      return;
    }
    if (!progressed) {
      sleep(state, sleepMs);
      // With most of the window free it slept too long; with little of it free it woke too early.
      const free = senders[0].freeShare();
      if (free > 0.75) sleepMs = Math.max(MIN_SLEEP_MS, sleepMs / 2);
      else if (free < 0.5) sleepMs = Math.min(MAX_SLEEP_MS, sleepMs * 1.25);
    }
    setImmediate(turn);
  };
  const resume = (): void => {
    if (!waiting) return;
    waiting = false;
    setImmediate(turn);
  };
  setImmediate(turn);
  return resume;
}

/** When each message is due: a warm-up, a pause that empties the queues, then the measured interval. */
class Schedule {
  readonly count: number;
  readonly intervalMs: number;
  readonly #warmUps: number;
  readonly #warmUpIntervalMs: number;
  readonly #startMs: number;
  readonly #fromMs: number;

  constructor(startMs: number, fromMs: number, toMs: number, intervalMs: number, warmUpIntervalMs: number) {
    this.#startMs = startMs;
    this.#fromMs = fromMs;
    this.intervalMs = intervalMs;
    this.#warmUpIntervalMs = warmUpIntervalMs;
    this.#warmUps = Math.floor(Math.max(0, fromMs - startMs - SETTLE_MS) / warmUpIntervalMs);
    this.count = this.#warmUps + Math.ceil((toMs - fromMs) / intervalMs);
  }

  /** When message `k` is due, in the order of `k`. */
  at(k: number): number {
    return k < this.#warmUps
      ? this.#startMs + k * this.#warmUpIntervalMs
      : this.#fromMs + (k - this.#warmUps) * this.intervalMs;
  }

  /** Messages due up to and including `nowMs`. */
  dueBy(nowMs: number): number {
    const warmUps = Math.min(this.#warmUps, Math.floor((nowMs - this.#startMs) / this.#warmUpIntervalMs) + 1);
    const measured = Math.max(0, Math.floor((nowMs - this.#fromMs) / this.intervalMs) + 1);
    return Math.min(this.count, warmUps + measured);
  }
}

/** Sends each message when it is due, round robin over the senders. The payload carries the due time. */
function runOpen(
  task: LoadTask,
  senders: readonly Sender[],
  pacing: Pacing & { readonly kind: 'open' },
  lateness: Histogram,
  done: () => void,
): void {
  const { state } = task;
  const intervalOf = (ratePerSecond: number): number =>
    (1000 / ratePerSecond) * (state.topology.senders / senders.length);
  const fromMs = state.times[TIME_FROM];
  const schedule = new Schedule(
    state.times[TIME_START],
    fromMs,
    state.times[TIME_TO],
    intervalOf(pacing.ratePerSecond),
    intervalOf(pacing.warmUpRatePerSecond),
  );
  const { intervalMs } = schedule;
  const stride = recordingStride(1000 / intervalMs);
  const spinMs = Math.min(MAX_SPIN_MS, intervalMs * SPIN_SHARE);
  /** Messages due before the end are sent however late, so that a system that stalls the senders gets the latency for it. */
  const { count } = schedule;
  let due = 0;
  const turn = (): void => {
    const turnEndMs = monotonicMs() + TURN_MS;
    for (;;) {
      const nowMs = monotonicMs();
      if (due >= count || Atomics.load(state.words, PHASE) === PHASE_CLOSE) {
        done();
        return;
      }
      const dueNow = schedule.dueBy(nowMs) - due;
      if (dueNow > 0) {
        const sender = senders[due % senders.length];
        if (sender.blocked) {
          setTimeout(turn, RETRY_MS);
          return;
        }
        const burst = senders.length === 1 ? dueNow : 1;
        const batch = Math.min(burst, sender.cycle.length - sender.cursor);
        for (let i = 0; i < batch; i++) {
          const dueMs = schedule.at(due + i);
          sender.cycle.setDue(sender.cursor + i, dueMs);
          if (dueMs >= fromMs && (due + i) % stride === 0) lateness.recordValue(toHistogramValue(nowMs - dueMs));
        }
        due += batch;
        sender.send(batch);
      } else {
        const waitMs = schedule.at(due) - nowMs;
        if (waitMs > spinMs) sleep(state, waitMs - spinMs);
      }
      if (nowMs > turnEndMs) break;
    }
    setImmediate(turn);
  };
  setImmediate(turn);
}

/** Runs the senders of `task` until the coordinating thread ends the run. */
export async function send(task: LoadTask): Promise<SendResult> {
  const { state, pacing } = task;
  const scratch = new ScratchBuffer();
  const connections: Connection[] = [];
  const lateness = createHistogram();
  let resume = (): void => {};
  await new Promise<void>((resolve, reject) => {
    for (const index of task.connections) {
      const client = createClient(task.protocol, {
        name: connectionName('send', task.run, index),
        group: null,
        sink: noSink,
      });
      const endpoint = task.endpoints[index % task.endpoints.length];
      connections.push(
        new Connection(endpoint, client, scratch, {
          beforeChunk() {},
          onChunk() {},
          onDrain: () => resume(),
          onFailure: (error) => reject(new Error(`sender ${index}: ${error.message}`)),
        }),
      );
    }
    const start = (): void => {
      // Set after the handshakes, whose short messages must leave at once.
      for (const connection of connections) connection.socket.setNoDelay(task.noDelay);
      const batch = Math.max(
        1,
        Math.min(pacing.kind === 'closed' ? pacing.batch : 64, Math.floor(MAX_WRITE_BYTES / task.payloadBytes)),
      );
      const senders = connections.map((connection, i) => new Sender(task, task.connections[i], connection, batch));
      const done = (): void => {
        Atomics.add(state.words, DONE, 1);
      };
      if (pacing.kind === 'closed') resume = runClosed(task, senders, batch, done);
      else runOpen(task, senders, pacing, lateness, done);
    };
    let announced = false;
    let started = false;
    const poll = setInterval(() => {
      if (!announced && connections.every((connection) => connection.client.ready)) {
        announced = true;
        Atomics.add(state.words, READY, 1);
      }
      const phase = Atomics.load(state.words, PHASE);
      if (phase !== PHASE_CONNECT && !started) {
        started = true;
        start();
      }
      if (phase !== PHASE_CLOSE) return;
      clearInterval(poll);
      resolve();
    }, 2);
  }).finally(() => {
    for (const connection of connections) connection.close();
  });
  return { role: 'send', lateness: pacing.kind === 'open' ? encodeIntoCompressedBase64(lateness) : null };
}
