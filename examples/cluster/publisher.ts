/** Publishes numbered lines to the group of the log, without being a member of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type Session } from '../../index.ts';
import { LOG_GROUP } from './replica.ts';

const PAUSE_MS = 4;
export const LAST_LINE = 'the end';

export class Publisher {
  readonly #session: Session;
  #isRunning = true;
  #done: Promise<void> = Promise.resolve();
  published = 0;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(address: string): Promise<Publisher> {
    const session = await connect({ address, name: 'publisher', membership: false });
    const publisher = new Publisher(session);
    session.on('error', () => {});
    publisher.#done = publisher.#publish();
    return publisher;
  }

  /** Publishes a last line, for which the replicas can wait. */
  async finish(): Promise<void> {
    await this.abandon();
    this.#session.multicast(LOG_GROUP, LAST_LINE);
    await this.#session.flushed();
  }

  /** Its daemon is gone. */
  async abandon(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  async #publish(): Promise<void> {
    while (this.#isRunning && !this.#session.closed) {
      this.#session.multicast(LOG_GROUP, `line ${++this.published}`);
      await delay(PAUSE_MS);
    }
  }
}
