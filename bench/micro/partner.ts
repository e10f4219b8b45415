/** The second thread of rows that need two. */
import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';

/** Words that both threads share. */
export const GO = 0;
export const DONE = 1;
export const STOP = 2;

export type PartnerInput =
  | { readonly role: 'ring-consumer'; readonly words: Int32Array<SharedArrayBuffer>; readonly ring: SharedArrayBuffer }
  | {
      readonly role: 'sleeper';
      readonly words: Int32Array<SharedArrayBuffer>;
      /** [0]: time of the wake-up, milliseconds of the machine's monotonic clock. */
      readonly times: Float64Array<SharedArrayBuffer>;
      readonly doorbell: SharedArrayBuffer;
      readonly control: SharedArrayBuffer;
      /** Wakes it when it sleeps in its event loop; null: it blocks. */
      readonly wakePort: MessagePort | null;
    };

type WithoutWords<T> = T extends unknown ? Omit<T, 'words'> : never;

export class Partner {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly #worker: Worker;
  #round = 0;

  private constructor(words: Int32Array<SharedArrayBuffer>, worker: Worker) {
    this.words = words;
    this.#worker = worker;
  }

  /** Resolves when the thread is ready. */
  static async start(input: WithoutWords<PartnerInput>): Promise<Partner> {
    const words = new Int32Array(new SharedArrayBuffer(64));
    const transferList = input.role === 'sleeper' && input.wakePort !== null ? [input.wakePort] : [];
    const worker = new Worker(new URL('./micro-partner.js', import.meta.url), {
      workerData: { ...input, words },
      transferList,
    });
    await once(worker, 'message');
    return new Partner(words, worker);
  }

  /** Starts `amount` units of the partner's work. */
  begin(amount: number): void {
    this.#round = Atomics.load(this.words, DONE);
    Atomics.store(this.words, GO, amount);
    Atomics.notify(this.words, GO);
  }

  /** Blocks until the partner is done with it. @throws after ten seconds */
  awaitDone(): void {
    if (Atomics.wait(this.words, DONE, this.#round, 10_000) === 'timed-out')
      throw new Error('the other thread is stuck');
  }

  async stop(): Promise<void> {
    Atomics.store(this.words, STOP, 1);
    Atomics.store(this.words, GO, -1);
    Atomics.notify(this.words, GO);
    await this.#worker.terminate();
  }
}
