/** SIGHUP of `skein start`: opens the log again and reloads options and files. Success and failure are in the log. */
import type { Daemon } from '../daemon/start-daemon.ts';

export class HangUp {
  readonly #daemon: Pick<Daemon, 'reopenLog' | 'reload'>;
  /** The reload that runs, or ran last. */
  #running: Promise<unknown> = Promise.resolve();
  #isOneDue = false;

  constructor(daemon: Pick<Daemon, 'reopenLog' | 'reload'>) {
    this.#daemon = daemon;
  }

  /** The log is opened again at once, whatever is in the files. Signals that come during a reload are followed by one more. */
  async signalled(): Promise<void> {
    try {
      this.#daemon.reopenLog();
    } catch {
      // The old log has it.
    }
    if (this.#isOneDue) return;
    this.#isOneDue = true;
    await this.#running;
    this.#isOneDue = false;
    this.#running = this.#daemon.reload().catch(() => undefined);
  }
}
