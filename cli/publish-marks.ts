/**
 * Tells how much of what was sent the daemon has taken: messages to oneself, which come back behind all that was sent before them,
 * since a session's messages are ordered as they were sent.
 */
import type { Batch, Session } from '../client/index.ts';

/** A program that sends this type to a private name it does not know is not expected. */
const MARK_TYPE = -32_768;
const MARK_BYTES = 8;
/** How often a mark goes along with the lines. */
const EVERY_MS = 1000;

export class PublishMarks {
  readonly #session: Session;
  #confirmed = 0;
  #lastMs = performance.now();
  #awaited = Number.POSITIVE_INFINITY;
  #reached: () => void = () => undefined;

  /** Takes what the session receives: marks; what strangers send to the private name must not fill the queue. */
  constructor(session: Session) {
    this.#session = session;
    session.onBatch((batch) => this.#take(batch));
  }

  /** Lines known to be ordered. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Called as lines are sent, with how many it were so far. */
  sent(lines: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs >= EVERY_MS) this.#mark(lines, nowMs);
  }

  /** Resolves when all lines are confirmed. Rejects when the session is over. */
  async confirm(lines: number): Promise<void> {
    if (this.#confirmed >= lines) return;
    const reached = new Promise<void>((resolve) => {
      this.#reached = resolve;
    });
    this.#awaited = lines;
    this.#mark(lines, performance.now());
    await reached;
  }

  #mark(lines: number, nowMs: number): void {
    this.#lastMs = nowMs;
    const data = Buffer.alloc(MARK_BYTES);
    data.writeDoubleLE(lines);
    this.#session.multicast(this.#session.privateName, data, { type: MARK_TYPE });
  }

  #take(batch: Batch): void {
    while (batch.next()) {
      if (batch.kind !== 'message' || batch.type !== MARK_TYPE || batch.dataLength !== MARK_BYTES) continue;
      if (!batch.senderEquals(this.#session.privateName)) continue;
      this.#confirmed = batch.bytes.readDoubleLE(batch.dataOffset);
      if (this.#confirmed >= this.#awaited) this.#reached();
    }
  }
}
