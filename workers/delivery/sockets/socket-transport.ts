/** A client's TCP or Unix socket as the delivery path sees it. */
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { TransportPeer, TransportReceiver } from '../client-transport.ts';
import type { ReadBuffer, ReadBuffers } from '../read-buffers.ts';
import { peerOf } from './socket-peer.ts';
import { StreamTransport } from './stream-transport.ts';

/** Node's private side of a socket: what the public interface cannot hand over or report. */
interface WithHandle {
  _handle: { readonly writeQueueSize?: number } | null;
}

export class SocketTransport extends StreamTransport {
  readonly peer: TransportPeer;
  protected readonly socket: Socket;
  readonly #buffers: ReadBuffers;
  #receiver: TransportReceiver | null = null;
  /** The buffer that the socket reads into; null: none was asked for yet. */
  #given: ReadBuffer | null = null;

  /**
   * Node gives a listener no say in how its connections read: each would get a fresh 64 KiB buffer per read. So the accepted handle
   * moves into a socket of our own that reads into the worker's buffers. Should a future Node hide the handle, reading falls back to
   * `data` events, which only costs a copy.
   * @param accepted paused
   */
  constructor(accepted: Socket, buffers: ReadBuffers) {
    super();
    this.#buffers = buffers;
    const handle = (accepted as unknown as WithHandle)._handle;
    this.socket = handle === null || handle === undefined ? this.#readByEvents(accepted) : this.#adopt(accepted);
    this.peer = peerOf(this.socket);
  }

  /** libuv keeps the figure on the socket's handle. */
  get unsentBytes(): number {
    return (this.socket as unknown as WithHandle)._handle?.writeQueueSize ?? this.socket.writableLength;
  }

  override attach(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    super.attach(receiver);
  }

  get #wanted(): ReadBuffer {
    return this.readsLong ? this.#buffers.long : this.#buffers.short;
  }

  #adopt(accepted: Socket): Socket {
    const { _handle: handle } = accepted as unknown as WithHandle;
    (accepted as unknown as WithHandle)._handle = null;
    const options = {
      handle,
      onread: {
        // Asked at the beginning and after each read; null leaves the socket the one it has.
        buffer: () => {
          const wanted = this.#wanted;
          if (wanted === this.#given) return null;
          this.#given = wanted;
          return wanted.bytes;
        },
        callback: (lengthBytes: number) => this.#receiver!.received(this.#given!, lengthBytes),
      },
    };
    return new Socket(options as unknown as SocketConstructorOpts);
  }

  /** A chunk that has come is given away whole; here up to 64 KiB of a handshake are kept. */
  #readByEvents(socket: Socket): Socket {
    socket.on('data', (chunk: Buffer) => {
      for (let from = 0; from < chunk.length; ) {
        const wanted = this.#wanted;
        const length = chunk.copy(wanted.bytes, 0, from);
        if (!this.#receiver!.received(wanted, length)) socket.pause();
        from += length;
      }
    });
    return socket;
  }
}
