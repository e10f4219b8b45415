import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Batch, Service, Session, Target } from '../../client/index.ts';
import { CliError } from '../exit.ts';
import { Pacer } from '../pacer.ts';

/** Each message begins with a stamp: sender u32, sequence u32, time sent f64 in ms, all little-endian. */
export const STAMP_BYTES = 16;
const OFFSET_SEQUENCE = 4;
const OFFSET_SENT_MS = 8;

/** After this time without a delivery, the missing messages count as lost. */
const STALL_MS = 10_000;
const TICK_MS = 1;

export interface FloodPlan {
  readonly group: string;
  readonly service: Service;
  readonly sizeBytes: number;
  /** Messages of each sender; infinite: until `durationMs` is over. */
  readonly countEach: number;
  readonly durationMs: number;
  /** How far a sender may be ahead of the slowest receiver, in messages. */
  readonly windowEach: number;
  /** Messages per second of each sender; null: no limit. */
  readonly ratePerSecond: number | null;
}

export interface FloodResult {
  readonly sent: number;
  /** Counted once for each receiver. */
  readonly delivered: number;
  /** Deliveries that did not come. Only unreliable messages may be lost. */
  readonly lost: number;
  readonly elapsedMs: number;
  readonly sentPerSecond: number;
  readonly deliveredPerSecond: number;
  /** Payload, without headers. */
  readonly bytesPerSecond: number;
  readonly latencyMs: Readonly<Record<'mean' | 'p50' | 'p90' | 'p99' | 'p999' | 'max', number>>;
}

interface Sender {
  readonly session: Session;
  readonly target: Target;
  readonly pacer: Pacer | null;
  sent: number;
  /** When the next message may go; always in the past without a pacer. */
  dueMs: number;
}

interface Receiver {
  readonly session: Session;
  /** For each sender, one more than the highest sequence number seen. */
  readonly upTo: number[];
}

/** One flood. Add the sessions, call `run` once, then `close`. */
export class FloodRun {
  readonly #plan: FloodPlan;
  readonly #senders: Sender[] = [];
  readonly #receivers: Receiver[] = [];
  readonly #latencyNs: RecordableHistogram = createHistogram();
  readonly #message: Buffer;
  #delivered = 0;
  #isSending = false;
  #isStopped = false;
  #lastDeliveryMs = 0;
  #finish: () => void = () => undefined;
  #fail: (reason: unknown) => void = () => undefined;

  constructor(plan: FloodPlan) {
    this.#plan = plan;
    this.#message = Buffer.alloc(plan.sizeBytes, '.');
  }

  /** Resolves when the session is in the group. */
  async addReceiver(session: Session): Promise<void> {
    const receiver: Receiver = { session, upTo: [] };
    this.#receivers.push(receiver);
    session.on('error', (error) => this.#fail(error));
    session.onBatch((batch) => this.#received(receiver, batch));
    await session.join(this.#plan.group);
  }

  addSender(session: Session): void {
    const { group, service, ratePerSecond } = this.#plan;
    session.on('error', (error) => this.#fail(error));
    session.onBatch(() => undefined);
    this.#senders.push({
      session,
      target: session.target(group, { service }),
      pacer: ratePerSecond === null ? null : new Pacer(ratePerSecond),
      sent: 0,
      dueMs: 0,
    });
    for (const receiver of this.#receivers) receiver.upTo.push(0);
  }

  /** Resolves when everything sent is delivered; rejects when a session is lost or deliveries stop. */
  async run(progress: (sent: number, delivered: number) => void): Promise<FloodResult> {
    const startedMs = performance.now();
    const finished = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.#isSending = !this.#isStopped;
    this.#lastDeliveryMs = startedMs;
    // Sends what a rate limit or a full socket held back. Deliveries trigger all other sends.
    const ticks = setInterval(() => {
      const nowMs = performance.now();
      if (nowMs - startedMs >= this.#plan.durationMs) this.#isSending = false;
      this.#pump();
      progress(this.#sent(), this.#delivered);
      if (nowMs - this.#lastDeliveryMs > STALL_MS && this.#behind()) this.#giveUp();
    }, TICK_MS);
    try {
      this.#pump();
      await finished;
    } finally {
      clearInterval(ticks);
    }
    return this.#result(performance.now() - startedMs);
  }

  /** `run` still waits for the deliveries that are under way. */
  stopSending(): void {
    this.#isStopped = true;
    this.#isSending = false;
  }

  async close(): Promise<void> {
    const sessions = [...this.#senders, ...this.#receivers].map(({ session }) => session);
    await Promise.all(sessions.map((session) => session.close()));
  }

  #pump(): void {
    if (this.#isSending) for (const [i, sender] of this.#senders.entries()) this.#send(sender, i);
    const isDone = !this.#isSending || this.#senders.every(({ sent }) => sent >= this.#plan.countEach);
    if (isDone && !this.#behind()) this.#finish();
  }

  #send(sender: Sender, index: number): void {
    const { countEach, windowEach } = this.#plan;
    const last = Math.min(countEach, this.#slowestUpTo(index) + windowEach);
    while (sender.sent < last) {
      const nowMs = performance.now();
      if (nowMs < sender.dueMs) return;
      const message = this.#message;
      message.writeUInt32LE(index, 0);
      message.writeUInt32LE(sender.sent, OFFSET_SEQUENCE);
      message.writeDoubleLE(nowMs, OFFSET_SENT_MS);
      // The session does not copy data above its limit, and the next message must not overwrite it.
      const accepted = sender.target.send(message.length < COPIED_BELOW_BYTES ? message : Buffer.from(message));
      sender.sent++;
      if (sender.pacer !== null) sender.dueMs = nowMs + sender.pacer.book(1);
      if (!accepted) return;
    }
  }

  #received(receiver: Receiver, batch: Batch): void {
    const nowMs = performance.now();
    while (batch.next()) {
      if (batch.kind !== 'message' || batch.dataLength !== this.#plan.sizeBytes) continue;
      const { bytes, dataOffset } = batch;
      const index = bytes.readUInt32LE(dataOffset);
      // A message of another program in the same group.
      if (index >= receiver.upTo.length) continue;
      receiver.upTo[index] = bytes.readUInt32LE(dataOffset + OFFSET_SEQUENCE) + 1;
      const latencyMs = nowMs - bytes.readDoubleLE(dataOffset + OFFSET_SENT_MS);
      this.#latencyNs.record(Math.max(1, Math.round(latencyMs * 1e6)));
      this.#delivered++;
    }
    this.#lastDeliveryMs = nowMs;
    this.#pump();
  }

  #slowestUpTo(sender: number): number {
    let slowest = Number.POSITIVE_INFINITY;
    for (const { upTo } of this.#receivers) slowest = Math.min(slowest, upTo[sender]!);
    return slowest;
  }

  #behind(): boolean {
    return this.#senders.some(({ sent }, i) => this.#slowestUpTo(i) < sent);
  }

  #sent(): number {
    return this.#senders.reduce((sum, { sent }) => sum + sent, 0);
  }

  /** If the last unreliable messages are lost, no later message reveals the gap. */
  #giveUp(): void {
    const missing = this.#sent() * this.#receivers.length - this.#delivered;
    if (this.#plan.service === 'unreliable') this.#finish();
    else this.#fail(new CliError(`no message came for ${STALL_MS / 1000} s; missing deliveries: ${missing}`));
  }

  #result(elapsedMs: number): FloodResult {
    const sent = this.#sent();
    const perSecond = (count: number): number => (count * 1000) / elapsedMs;
    const histogram = this.#latencyNs;
    const percentileMs = (percent: number): number => (histogram.count === 0 ? 0 : histogram.percentile(percent) / 1e6);
    return {
      sent,
      delivered: this.#delivered,
      lost: sent * this.#receivers.length - this.#delivered,
      elapsedMs,
      sentPerSecond: perSecond(sent),
      deliveredPerSecond: perSecond(this.#delivered),
      bytesPerSecond: perSecond(this.#delivered * this.#plan.sizeBytes),
      latencyMs: {
        mean: histogram.count === 0 ? 0 : histogram.mean / 1e6,
        p50: percentileMs(50),
        p90: percentileMs(90),
        p99: percentileMs(99),
        p999: percentileMs(99.9),
        max: histogram.count === 0 ? 0 : histogram.max / 1e6,
      },
    };
  }
}

/** Default `copyBelowBytes` of a session. */
const COPIED_BELOW_BYTES = 16 * 1024;
