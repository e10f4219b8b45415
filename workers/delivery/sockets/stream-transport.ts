/** What transports over a socket of Node have in common: the socket's own side of writing, pausing and ending. */
import type { Socket } from 'node:net';
import { isSilenceError, type SocketEnds } from '../../../engine/wire/tcp-silence.ts';
import type { ClientTransport, TransportPeer, TransportReceiver } from '../client-transport.ts';

/** A subclass decides how the socket is read, and tells of what was read. */
export abstract class StreamTransport implements ClientTransport {
  abstract readonly peer: TransportPeer;
  abstract readonly unsentBytes: number;
  protected abstract readonly socket: Socket;
  /** Reads go into the long buffer. */
  protected readsLong = false;

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  get isDestroyed(): boolean {
    return this.socket.destroyed;
  }

  get tcpEnds(): SocketEnds {
    return this.socket;
  }

  attach(receiver: TransportReceiver): void {
    this.socket.on('error', (error: NodeJS.ErrnoException) => receiver.failed(isSilenceError(error.code)));
    this.socket.on('end', () => receiver.inputEnded());
    this.socket.on('close', () => receiver.closed());
  }

  readLong(): void {
    this.readsLong = true;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  write(bytes: Uint8Array, done?: () => void): void {
    this.socket.write(bytes, done);
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  end(bytes?: Uint8Array): void {
    if (bytes === undefined) this.socket.end();
    else this.socket.end(bytes);
  }

  destroy(): void {
    this.socket.destroy();
  }

  destroySoon(): void {
    this.socket.destroySoon();
  }

  keepAlive(idleMs: number): void {
    this.socket.setKeepAlive(true, idleMs);
  }
}
