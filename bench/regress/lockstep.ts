/**
 * A deterministic load: one batch in one write, then a pause until every receiver has all of it and the daemon sleeps. Then the daemon's work
 * for a batch does not depend on timing.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type PayloadSink, ProtocolError } from '../load/protocol.ts';
import { SpreadClient } from '../load/protocols/spread.ts';

export interface LockstepShape {
  readonly id: string;
  readonly title: string;
  /** Messages in one write. */
  readonly batch: number;
  readonly payloadBytes: number;
  readonly receivers: number;
  /** Number of groups that get messages in turn; receivers are in the first one. */
  readonly groups: number;
}

const READ_BYTES = 256 * 1024;
const BATCH_LIMIT_MS = 20_000;
/** An idle daemon falls asleep within this time. */
const PAUSE_MS = 2;

class LockstepClient implements PayloadSink {
  payloads = 0;
  /** Called when `payloads` reaches `wanted`. */
  onReached: () => void = () => {};
  wanted = Number.POSITIVE_INFINITY;
  readonly protocol: SpreadClient;
  readonly socket: Socket;
  readonly #bytes = new Uint8Array(READ_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #end = 0;

  constructor(port: number, name: string, group: string | null) {
    this.protocol = new SpreadClient({ name, group, sink: this }, { service: 'agreed' });
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk) => this.#read(chunk));
    this.#answer();
  }

  onPayload(): void {
    this.payloads++;
    if (this.payloads === this.wanted) this.onReached();
  }

  async ready(): Promise<void> {
    while (!this.protocol.ready) await once(this.socket, 'data');
  }

  #read(chunk: Buffer): void {
    if (this.#end + chunk.length > READ_BYTES) throw new ProtocolError(`more than ${READ_BYTES} bytes wait`);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
    const done = this.protocol.consume(this.#bytes, this.#view, 0, this.#end);
    this.#bytes.copyWithin(0, done, this.#end);
    this.#end -= done;
    this.#answer();
  }

  #answer(): void {
    const output = this.protocol.takeOutput();
    if (output !== null) this.socket.write(output);
  }
}

let serial = 0;

export class Lockstep {
  readonly #sender: LockstepClient;
  readonly #receivers: readonly LockstepClient[];
  readonly #batch: Uint8Array;
  /** Messages per batch that the receivers get. */
  readonly #received: number;

  private constructor(
    sender: LockstepClient,
    receivers: readonly LockstepClient[],
    batch: Uint8Array,
    received: number,
  ) {
    this.#sender = sender;
    this.#receivers = receivers;
    this.#batch = batch;
    this.#received = received;
  }

  static async open(port: number, shape: LockstepShape): Promise<Lockstep> {
    const run = (serial++).toString(36);
    const groupNames = Array.from({ length: shape.groups }, (_, i) => `lock.${run}.${i}`);
    const receivers: LockstepClient[] = [];
    for (let i = 0; i < shape.receivers; i++) {
      const receiver = new LockstepClient(port, `r${run}${i}`, groupNames[0]);
      await receiver.ready();
      receivers.push(receiver);
    }
    const sender = new LockstepClient(port, `s${run}`, null);
    await sender.ready();
    const payload = new Uint8Array(shape.payloadBytes);
    const frames = Array.from(
      { length: shape.batch },
      (_, i) => sender.protocol.publishFrame(groupNames[i % shape.groups], payload).bytes,
    );
    return new Lockstep(sender, receivers, Buffer.concat(frames), Math.ceil(shape.batch / shape.groups));
  }

  /** Warm-up: sends `count` batches, each when the one before has arrived everywhere. */
  async hurry(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#oneBatch();
  }

  /** The same with a pause after each batch. */
  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.#oneBatch();
      await delay(PAUSE_MS);
    }
  }

  close(): void {
    for (const client of [this.#sender, ...this.#receivers]) client.socket.destroy();
  }

  #oneBatch(): Promise<void> {
    return new Promise((resolve, reject) => {
      let missing = this.#receivers.length;
      const timer = setTimeout(
        () => reject(new Error(`a batch was not delivered within ${BATCH_LIMIT_MS} ms`)),
        BATCH_LIMIT_MS,
      );
      for (const receiver of this.#receivers) {
        receiver.wanted = receiver.payloads + this.#received;
        receiver.onReached = () => {
          if (--missing > 0) return;
          clearTimeout(timer);
          resolve();
        };
      }
      this.#sender.socket.write(this.#batch);
    });
  }
}
