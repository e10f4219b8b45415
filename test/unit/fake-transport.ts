/** A client's transport whose kernel buffer the test controls. */
import { SwallowingTransport } from '../../bench/micro/swallowing-transport.ts';
import type { ClientTransport } from '../../workers/delivery/client-transport.ts';

interface Part {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

/** Behaves as a socket: takes what the kernel has room for, and owns the bytes of a write until all of them are out. */
export class FakeTransport extends SwallowingTransport implements ClientTransport {
  /** Bytes the kernel takes before it is full. */
  room: number;
  writes = 0;
  readonly #taken: Buffer[] = [];
  #corked: Part[] | null = null;
  readonly #pending: { readonly bytes: Uint8Array; at: number; readonly done: (() => void) | undefined }[] = [];
  readonly #done: (() => void)[] = [];

  constructor(room: number) {
    super();
    this.room = room;
  }

  override write(bytes: Uint8Array, done?: () => void): void {
    if (this.isDestroyed) throw new Error('write after destroy');
    if (this.#corked !== null) this.#corked.push({ bytes, done });
    else this.#submit([{ bytes, done }]);
  }

  override cork(): void {
    this.#corked = [];
  }

  override uncork(): void {
    const corked = this.#corked!;
    this.#corked = null;
    this.#submit(corked);
  }

  /** The peer has read: the kernel has room for that many more bytes. */
  take(lengthBytes: number): void {
    this.room += lengthBytes;
    this.#pump();
  }

  /** Runs callbacks of finished writes, as the event loop would. */
  tick(): void {
    for (const done of this.#done.splice(0)) done();
  }

  get received(): Buffer {
    return Buffer.concat(this.#taken);
  }

  #submit(parts: readonly Part[]): void {
    // A socket would copy a second write while one is in flight; the output must not need that.
    if (this.#pending.length > 0) throw new Error('write while the previous one is in flight');
    this.writes++;
    for (const { bytes, done } of parts) {
      this.pendingBytes += bytes.length;
      this.unsentBytes += bytes.length;
      this.#pending.push({ bytes, at: 0, done });
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#pending.length > 0) {
      const first = this.#pending[0]!;
      const length = Math.min(this.room, first.bytes.length - first.at);
      this.#taken.push(Buffer.from(first.bytes.subarray(first.at, first.at + length)));
      this.room -= length;
      this.unsentBytes -= length;
      first.at += length;
      if (first.at < first.bytes.length) return;
      this.#pending.shift();
      this.pendingBytes -= first.bytes.length;
      if (first.done !== undefined) this.#done.push(first.done);
    }
  }
}
