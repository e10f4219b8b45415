/**
 * Finds out how many lines the daemon has ordered. A session's messages keep their order, so a mark that the session sends to itself comes
 * back after everything that it sent before.
 */
import type { Batch, Session } from '../client/index.ts';

/** Other programs are not expected to send this type to this session. */
const MARK_TYPE = -32_768;
const MARK_BYTES = 8;
/** Interval of the marks. */
const EVERY_MS = 1000;

export class PublishMarks {
  readonly #session: Session;
  #confirmed = 0;
  #lastMs = performance.now();
  #awaited = Number.POSITIVE_INFINITY;
  #reached: () => void = () => undefined;

  /** Becomes the session's receiver, also so that messages of other programs do not fill its queue. */
  constructor(session: Session) {
    this.#session = session;
    session.onBatch((batch) => this.#take(batch));
  }

  /** Lines that are known to be ordered. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Call after sending. @param lines sent in all */
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
