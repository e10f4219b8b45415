/** A session's output that tells how many frames it is given. */
import type { OrderedLogReader } from '../../../engine/buffers/ordered-log-reader.ts';
import type { ClientTransport } from '../../../workers/delivery/client-transport.ts';
import type { KeptBytes } from '../../../workers/delivery/kept-bytes.ts';
import { SessionOutput } from '../../../workers/delivery/session-output.ts';

export class ObservedOutput extends SessionOutput {
  readonly #added: (frames: number) => void;

  constructor(
    log: OrderedLogReader,
    logBytes: Buffer,
    store: KeptBytes,
    transport: ClientTransport,
    onUnblocked: () => void,
    added: (frames: number) => void,
  ) {
    super(log, logBytes, store, transport, onUnblocked);
    this.#added = added;
  }

  override add(segment: number, start: number, end: number, frames: number, turn: number): void {
    this.#added(frames);
    super.add(segment, start, end, frames, turn);
  }

  override addOwned(bytes: Buffer, frames: number): void {
    this.#added(frames);
    super.addOwned(bytes, frames);
  }
}
