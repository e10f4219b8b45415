/** A client's socket whose kernel takes as much as a test says. */
import type { Socket } from 'node:net';

/** As `net.Socket` behaves: takes what the kernel has room for, and owns the bytes of a write until all of it is out. */
export class FakeSocket {
  destroyed = false;
  writableLength = 0;
  /** Bytes the kernel takes before it is full. */
  room: number;
  writes = 0;
  readonly #taken: Buffer[] = [];
  #corked: { readonly bytes: Buffer; readonly done: () => void }[] | null = null;
  readonly #pending: { bytes: Buffer; at: number; readonly done: readonly (() => void)[] }[] = [];
  readonly #done: (() => void)[] = [];

  constructor(room: number) {
    this.room = room;
  }

  get _handle(): { readonly writeQueueSize: number } {
    return { writeQueueSize: this.#pending.reduce((sum, { bytes, at }) => sum + bytes.length - at, 0) };
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }

  destroy(): void {
    this.destroyed = true;
  }

  write(bytes: Buffer, done: () => void): void {
    if (this.destroyed) throw new Error('write after destroy');
    if (this.#corked !== null) this.#corked.push({ bytes, done });
    else this.#submit([{ bytes, done }]);
  }

  cork(): void {
    this.#corked = [];
  }

  uncork(): void {
    const corked = this.#corked!;
    this.#corked = null;
    this.#submit(corked);
  }

  /** The peer read: there is room for that many bytes more. */
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

  #submit(parts: readonly { readonly bytes: Buffer; readonly done: () => void }[]): void {
    // A second write while one is under way would be queued by Node, with memory of its own; the output must not need that.
    if (this.#pending.length > 0) throw new Error('write while the one before is under way');
    this.writes++;
    for (const { bytes, done } of parts) {
      this.writableLength += bytes.length;
      this.#pending.push({ bytes, at: 0, done: [done] });
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#pending.length > 0) {
      const first = this.#pending[0]!;
      const length = Math.min(this.room, first.bytes.length - first.at);
      this.#taken.push(Buffer.from(first.bytes.subarray(first.at, first.at + length)));
      this.room -= length;
      first.at += length;
      if (first.at < first.bytes.length) return;
      this.#pending.shift();
      this.writableLength -= first.bytes.length;
      this.#done.push(...first.done);
    }
  }
}
