/**
 * The transport of a virtual client, as one over a socket behaves: it takes what the kernel has room for and owns the bytes of a write until
 * all of it is out. It copies no byte before the kernel takes it, so memory that is overwritten too early reaches the client as damage.
 */
import type { ClientTransport } from '../../../workers/delivery/client-transport.ts';

interface Write {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

export interface TransportSurroundings {
  /** After what is under way, at the same time. */
  later(action: () => void): void;
  /** The client reads these bytes; lent for the call. */
  received(bytes: Uint8Array): void;
  closed(): void;
}

export class VirtualTransport implements ClientTransport {
  readonly peer = { label: 'virtual', address: undefined };
  readonly tcpEnds = {};
  isDestroyed = false;
  pendingBytes = 0;
  readonly #surroundings: TransportSurroundings;
  readonly #kernelBytes: number;
  /** Taken by the kernel while the client did not read. */
  #unread: Uint8Array[] = [];
  #room = Number.POSITIVE_INFINITY;
  #corked: Write[] | null = null;
  #pending: Write[] = [];
  /** Bytes of the first pending write that the kernel has. */
  #firstTaken = 0;
  #done: (() => void)[] = [];

  /** @param kernelBytes what it takes while the client does not read */
  constructor(kernelBytes: number, surroundings: TransportSurroundings) {
    this.#kernelBytes = kernelBytes;
    this.#surroundings = surroundings;
  }

  get reads(): boolean {
    return this.#room === Number.POSITIVE_INFINITY;
  }

  get unsentBytes(): number {
    return this.pendingBytes - this.#firstTaken;
  }

  /** Virtual clients hand their frames to the daemon directly. */
  attach(): void {}

  readLong(): void {}

  write(bytes: Uint8Array, done?: () => void): void {
    if (this.isDestroyed) throw new Error('write after destroy');
    if (this.#corked !== null) this.#corked.push({ bytes, done });
    else this.#submit([{ bytes, done }]);
  }

  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const corked = this.#corked ?? [];
    this.#corked = null;
    this.#submit(corked);
  }

  pause(): void {}

  resume(): void {}

  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#unread = [];
    this.#surroundings.later(() => {
      this.#pending = [];
      this.#surroundings.closed();
    });
  }

  destroySoon(): void {
    this.destroy();
  }

  keepAlive(): void {}

  stopReading(): void {
    if (this.reads) this.#room = this.#kernelBytes;
  }

  readOn(): void {
    if (this.reads || this.isDestroyed) return;
    this.#room = Number.POSITIVE_INFINITY;
    for (const bytes of this.#unread) this.#surroundings.received(bytes);
    this.#unread = [];
    this.#take();
  }

  #submit(writes: readonly Write[]): void {
    // Node would queue a second write while one is under way, in memory of its own; an output must not need that.
    if (this.#pending.length > 0) throw new Error('write while the one before is under way');
    for (const write of writes) {
      this.pendingBytes += write.bytes.length;
      this.#pending.push(write);
    }
    this.#take();
  }

  #take(): void {
    let whole = 0;
    for (const { bytes, done } of this.#pending) {
      const length = Math.min(this.#room, bytes.length - this.#firstTaken);
      const taken = bytes.subarray(this.#firstTaken, this.#firstTaken + length);
      if (this.reads) this.#surroundings.received(taken);
      else {
        this.#unread.push(Uint8Array.from(taken));
        this.#room -= length;
      }
      this.#firstTaken += length;
      if (this.#firstTaken < bytes.length) break;
      whole++;
      this.#firstTaken = 0;
      this.pendingBytes -= bytes.length;
      if (done !== undefined) this.#callLater(done);
    }
    this.#pending.splice(0, whole);
  }

  /** Callbacks of writes come when the event loop is back at the socket. */
  #callLater(done: () => void): void {
    this.#done.push(done);
    if (this.#done.length > 1) return;
    this.#surroundings.later(() => {
      const called = this.#done;
      this.#done = [];
      for (const each of called) each();
    });
  }
}
