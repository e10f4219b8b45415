/** One connection of a virtual client: the daemon's session for it, and what the client itself knows. */
import type { ClientSession } from '../../../workers/delivery/client-session.ts';
import type { ClientTrace } from '../trace/trace.ts';
import { ClientReader } from './client-reader.ts';
import type { VirtualTransport } from './virtual-transport.ts';

export class Connection {
  readonly session: ClientSession;
  readonly transport: VirtualTransport;
  /** Private name. */
  readonly member: string;
  /** Groups it asked to be in, and did not ask to leave since. */
  readonly wished = new Set<string>();
  /** Null until the daemon has given it its name. */
  trace: ClientTrace | null = null;
  readonly #reader: ClientReader;
  /** Of frames on their way to the client: how many in a row, and their place in the trace of the daemon. */
  readonly #frames: number[] = [];
  readonly #positions: number[] = [];
  #next = 0;

  constructor(session: ClientSession, transport: VirtualTransport, member: string, checksPayload: boolean) {
    this.session = session;
    this.transport = transport;
    this.member = member;
    this.#reader = new ClientReader(
      member,
      () => this.#positionOfNext(),
      (event) => this.trace!.events.push(event),
      checksPayload,
    );
  }

  /** It is over, from either side. */
  get isOver(): boolean {
    return this.session.state === 'closing' || this.session.state === 'closed';
  }

  open(trace: ClientTrace): void {
    this.trace = trace;
  }

  /** The daemon will send it this many frames, which were ordered at `position` of the daemon's trace. */
  expect(frames: number, position: number): void {
    this.#frames.push(frames);
    this.#positions.push(position);
  }

  /** Bytes from the daemon. Throws when they are none that a daemon may send. */
  read(bytes: Uint8Array): void {
    if (this.trace?.disconnected === false) this.#reader.read(bytes);
  }

  #positionOfNext(): number {
    while (this.#frames[this.#next] === 0) this.#next++;
    if (this.#next === this.#frames.length) throw new Error(`${this.member} received a frame that no daemon gave it`);
    if (this.#next > 1024) {
      this.#frames.splice(0, this.#next);
      this.#positions.splice(0, this.#next);
      this.#next = 0;
    }
    this.#frames[this.#next]!--;
    return this.#positions[this.#next]!;
  }
}
