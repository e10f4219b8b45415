/** A client transport besides sockets: both ends are in this process, and the test plays the client and the event loop. */
import type {
  BoundAddress,
  ClientListener,
  ConnectionHost,
  ListenAddress,
} from '../../workers/delivery/client-listener.ts';
import type { ClientTransport, TransportPeer, TransportReceiver } from '../../workers/delivery/client-transport.ts';
import type { ReadBuffers } from '../../workers/delivery/read-buffers.ts';
import { FakeTransport } from './fake-transport.ts';

export class MemoryTransport extends FakeTransport implements ClientTransport {
  override readonly peer: TransportPeer;
  /** The client has read the end of the connection. */
  isEnded = false;
  /** The daemon's last read went into the long buffer. */
  readsLong = false;
  /** As it was last asked to keep alive. */
  idleMs = 0;
  readonly #buffers: ReadBuffers;
  #receiver: TransportReceiver | null = null;
  #isReading = false;
  #isClosed = false;
  readonly #inbox: Buffer[] = [];

  /** @param room bytes that the client's side buffers before it reads */
  constructor(buffers: ReadBuffers, peer: TransportPeer, room: number) {
    super(room);
    this.#buffers = buffers;
    this.peer = peer;
    this.isPaused = true;
  }

  override attach(receiver: TransportReceiver): void {
    this.#receiver = receiver;
  }

  override readLong(): void {
    this.readsLong = true;
  }

  override resume(): void {
    super.resume();
    this.#read();
  }

  override keepAlive(idleMs: number): void {
    this.idleMs = idleMs;
  }

  override end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
    this.isEnded = true;
  }

  // The client's side.

  send(bytes: Uint8Array): void {
    this.#inbox.push(Buffer.from(bytes));
    this.#read();
  }

  /** The client ends its sending side. */
  hangUp(): void {
    this.#receiver!.inputEnded();
  }

  /** The connection breaks. */
  abort(): void {
    this.#receiver!.failed(false);
  }

  /** One round of the event loop: callbacks of writes, and the close of what was destroyed. */
  override tick(): void {
    if (!this.isDestroyed) {
      super.tick();
      return;
    }
    if (!this.#isClosed) this.#receiver!.closed();
    this.#isClosed = true;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (!this.isPaused && !this.isDestroyed && this.#inbox.length > 0) {
      const buffer = this.readsLong ? this.#buffers.long : this.#buffers.short;
      const next = this.#inbox.shift()!;
      const length = next.copy(buffer.bytes);
      if (length < next.length) this.#inbox.unshift(next.subarray(length));
      if (!this.#receiver!.received(buffer, length)) this.pause();
      // The lent bytes are valid only during the call.
      buffer.bytes.fill(0xee, 0, length);
    }
    this.#isReading = false;
  }
}

export class MemoryListener implements ClientListener {
  isOpen = false;
  /** How often its settings changed. */
  changes = 0;
  /** Why it refuses the next settings; null: it does not. */
  refusal: string | null = null;
  readonly host: ConnectionHost;

  constructor(host: ConnectionHost) {
    this.host = host;
  }

  listen(address: ListenAddress): Promise<BoundAddress> {
    this.isOpen = true;
    return Promise.resolve({ address, fd: -1 });
  }

  checkSettings(): void {
    if (this.refusal !== null) throw new Error(this.refusal);
  }

  settingsChanged(): void {
    this.changes++;
  }

  close(): void {
    this.isOpen = false;
  }

  connect(label: string, room = Number.POSITIVE_INFINITY, from: Partial<TransportPeer> = {}): MemoryTransport {
    const transport = new MemoryTransport(this.host.buffers, { label, address: undefined, ...from }, room);
    this.host.accepted(transport);
    transport.resume();
    return transport;
  }
}
