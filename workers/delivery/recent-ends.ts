/** The sessions of a worker that ended last, with the reason: for operators who look for a vanished client. */
import type { EndCause, EndedSession } from '../daemon-event.ts';
import type { ClientSession } from './client-session.ts';

/** Kept, the newest. */
const MAX_ENDS = 100;

export class RecentEnds {
  readonly #ends: EndedSession[] = [];
  /** Place of the oldest, once the list is full. */
  #oldest = 0;

  /** Before the session's output is given up. */
  add(session: ClientSession, cause: EndCause, reason: string, nowMs: number): EndedSession {
    const { privateName, transport, output } = session;
    const ended: EndedSession = {
      name: privateName,
      peer: transport.peer.label,
      cause,
      reason,
      endedAt: Date.now(),
      lastedMs: Math.max(0, nowMs - session.openedMs),
      waitingBytes: output.waitingBytes(),
      waitingMessages: output.waitingFrames(),
      messagesIn: session.receivedFrames,
      messagesOut: output.sentFrames(),
    };
    if (this.#ends.length < MAX_ENDS) this.#ends.push(ended);
    else {
      this.#ends[this.#oldest] = ended;
      this.#oldest = (this.#oldest + 1) % MAX_ENDS;
    }
    return ended;
  }

  /** Oldest first. */
  list(): readonly EndedSession[] {
    return [...this.#ends.slice(this.#oldest), ...this.#ends.slice(0, this.#oldest)];
  }
}
