/** Hands what a connection's transport brings to the part of the worker that its session's state names. */
import type { TransportReceiver } from './client-transport.ts';
import type { Farewell } from './farewell.ts';
import type { Greeter } from './greeter.ts';
import type { Intake } from './intake.ts';
import type { ReadBuffer } from './read-buffers.ts';
import type { ClientSession } from './session.ts';
import type { SessionEnds } from './session-ends.ts';

/** The same for all connections of a worker. */
export interface ReceiverParts {
  readonly intake: Intake;
  readonly greeter: Greeter;
  readonly ends: SessionEnds;
  readonly farewell: Farewell;
  readonly schedule: () => void;
}

export class SessionReceiver implements TransportReceiver {
  readonly #session: ClientSession;
  readonly #parts: ReceiverParts;

  constructor(session: ClientSession, parts: ReceiverParts) {
    this.#session = session;
    this.#parts = parts;
  }

  received(chunk: ReadBuffer, lengthBytes: number): boolean {
    const session = this.#session;
    const parts = this.#parts;
    parts.schedule();
    if (parts.farewell.isStopping) parts.farewell.heard(session);
    if (session.state === 'open') return parts.intake.read(session, chunk, lengthBytes);
    if (session.state === 'handshake') return parts.greeter.read(session, chunk.bytes, lengthBytes);
    return parts.greeter.discard(session, lengthBytes);
  }

  inputEnded(): void {
    this.#parts.ends.endOfInput(this.#session);
  }

  failed(isSilent: boolean): void {
    this.#parts.ends.broken(this.#session, isSilent);
  }

  closed(): void {
    this.#parts.ends.closed(this.#session);
  }
}
