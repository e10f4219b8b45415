/** Hands what a connection's transport brings to the part of the worker that its session's state names. */

import type { ClientSession } from './client-session.ts';
import type { TransportReceiver } from './client-transport.ts';
import type { Farewell } from './farewell.ts';
import type { Handshakes } from './handshakes.ts';
import type { Intake } from './intake.ts';
import type { ReadBuffer } from './read-buffers.ts';
import type { SessionEnds } from './session-ends.ts';

/** The same for all connections of a worker. */
export interface ReceiverParts {
  readonly intake: Intake;
  readonly handshakes: Handshakes;
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
    if (session.state === 'handshake') return parts.handshakes.read(session, chunk.bytes, lengthBytes);
    return parts.handshakes.discard(session, lengthBytes);
  }

  inputEnded(): void {
    this.#parts.ends.endOfInput(this.#session);
  }

  failed(isSilent: boolean): void {
    this.#parts.ends.broken(this.#session, isSilent);
  }

  violated(reason: string): void {
    this.#parts.ends.violated(this.#session, reason);
  }

  closed(): void {
    this.#parts.ends.closed(this.#session);
  }
}
