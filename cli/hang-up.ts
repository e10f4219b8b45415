/** SIGHUP of `skein start`: reopens the log and reloads options and files. The log tells the outcome. */
import type { Daemon } from '../daemon/start-daemon.ts';

export class HangUp {
  readonly #daemon: Pick<Daemon, 'reopenLog' | 'reload'>;
  /** The current or last reload. */
  #running: Promise<unknown> = Promise.resolve();
  #isOneDue = false;

  constructor(daemon: Pick<Daemon, 'reopenLog' | 'reload'>) {
    this.#daemon = daemon;
  }

  /** Reopens the log at once, whatever the files contain. Signals during a reload cause one more reload. */
  async signalled(): Promise<void> {
    try {
      this.#daemon.reopenLog();
    } catch {
      // The old log has the error.
    }
    if (this.#isOneDue) return;
    this.#isOneDue = true;
    await this.#running;
    this.#isOneDue = false;
    this.#running = this.#daemon.reload().catch(() => undefined);
  }
}
