/**
 * A client's TLS connection as the delivery path sees it. Node encrypts what is written and keeps bytes that wait for an earlier write by
 * reference, so they stay in use until the write calls back, as with a plain socket.
 */
import type { TLSSocket } from 'node:tls';
import type { TransportPeer, TransportReceiver } from '../client-transport.ts';
import type { ReadBuffers } from '../read-buffers.ts';
import { StreamTransport } from './stream-transport.ts';

export class TlsTransport extends StreamTransport {
  readonly peer: TransportPeer;
  protected readonly socket: TLSSocket;
  readonly #buffers: ReadBuffers;

  /** @param socket after its handshake, paused. @param peer who that is */
  constructor(socket: TLSSocket, peer: TransportPeer, buffers: ReadBuffers) {
    super();
    this.socket = socket;
    this.#buffers = buffers;
    this.peer = peer;
  }

  /** The kernel's part of them is not told for encrypted connections. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  override attach(receiver: TransportReceiver): void {
    super.attach(receiver);
    this.socket.on('data', (chunk: Buffer) => this.#received(chunk, receiver));
    // A listener for data would begin to read.
    this.socket.pause();
  }

  /** One chunk is at most one record of TLS, 16 KiB: the receiver may be given some more after it has said that it wants no more. */
  #received(chunk: Buffer, receiver: TransportReceiver): void {
    for (let from = 0; from < chunk.length; ) {
      const buffer = this.readsLong ? this.#buffers.long : this.#buffers.short;
      const length = chunk.copy(buffer.bytes, 0, from);
      from += length;
      if (receiver.received(buffer, length)) continue;
      this.socket.pause();
      if (from < chunk.length) this.socket.unshift(chunk.subarray(from));
      return;
    }
  }
}
