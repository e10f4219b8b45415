/**
 * A client's TLS connection as the delivery path sees it. Node encrypts what is written and keeps bytes that wait for an earlier write by
 * reference, so they stay in use until the write calls back, as with a plain socket.
 */
import type { TLSSocket } from 'node:tls';
import { isSilenceError, type SocketEnds } from '../../../engine/wire/tcp-silence.ts';
import type { ClientTransport, TransportPeer, TransportReceiver } from '../client-transport.ts';
import type { ReadBuffers } from '../read-buffers.ts';

export class TlsTransport implements ClientTransport {
  readonly peer: TransportPeer;
  readonly #socket: TLSSocket;
  readonly #buffers: ReadBuffers;
  #readsLong = false;

  /** @param socket after its handshake, paused. @param peer who that is */
  constructor(socket: TLSSocket, peer: TransportPeer, buffers: ReadBuffers) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.peer = peer;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** The kernel's part of them is not told for encrypted connections. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  get isDestroyed(): boolean {
    return this.#socket.destroyed;
  }

  get tcpEnds(): SocketEnds {
    return this.#socket;
  }

  attach(receiver: TransportReceiver): void {
    const socket = this.#socket;
    socket.on('error', (error: NodeJS.ErrnoException) => receiver.failed(isSilenceError(error.code)));
    socket.on('data', (chunk: Buffer) => this.#received(chunk, receiver));
    socket.on('end', () => receiver.inputEnded());
    socket.on('close', () => receiver.closed());
    // A listener for data would begin to read.
    socket.pause();
  }

  readLong(): void {
    this.#readsLong = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(bytes: Uint8Array, done?: () => void): void {
    this.#socket.write(bytes, done);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(bytes?: Uint8Array): void {
    if (bytes === undefined) this.#socket.end();
    else this.#socket.end(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  destroySoon(): void {
    this.#socket.destroySoon();
  }

  /** One chunk is at most one record of TLS, 16 KiB: the receiver may be given some more after it has said that it wants no more. */
  #received(chunk: Buffer, receiver: TransportReceiver): void {
    for (let from = 0; from < chunk.length; ) {
      const buffer = this.#readsLong ? this.#buffers.long : this.#buffers.short;
      const length = chunk.copy(buffer.bytes, 0, from);
      from += length;
      if (receiver.received(buffer, length)) continue;
      this.#socket.pause();
      if (from < chunk.length) this.#socket.unshift(chunk.subarray(from));
      return;
    }
  }
}
