/**
 * A client's WebSocket as the delivery path sees it: the bytes in its binary messages, one after the other. Where a message ends has no
 * meaning in either direction.
 *
 * Frames of a server are not masked, so the library writes the bytes that it is given and its own header before them: they are the
 * socket's until it has taken them, as with a plain one.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { isSilenceError, type SocketEnds } from '../../../engine/wire/tcp-silence.ts';
import type { ClientTransport, TransportPeer, TransportReceiver } from '../client-transport.ts';
import type { ReadBuffer, ReadBuffers } from '../read-buffers.ts';

/** Codes of a Close (RFC 6455, 7.4.1). */
const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_UNSUPPORTED = 1003;
const TEXT_REFUSED = 'text is refused: the protocol is binary';
/** A silent client is asked for a sign of life after this part of the time that it has. */
const PING_AFTER = 1 / 3;
const BINARY = { binary: true } as const;

/** Node's private side of a socket. */
interface WithHandle {
  readonly _handle: { readonly writeQueueSize?: number } | null;
}

export class WebSocketTransport implements ClientTransport {
  readonly peer: TransportPeer;
  readonly #socket: Socket;
  readonly #buffers: ReadBuffers;
  readonly #isStopping: () => boolean;
  /** Null: the request that opens it has not come. */
  #webSocket: WebSocket | null = null;
  #receiver: TransportReceiver | null = null;
  #readsLong = false;
  #isPaused = false;
  /** The client is told why and given a moment to read it; the receiver has done with it. */
  #isLeaving = false;
  /** What goes out, and then the end, as soon as the WebSocket is open. */
  #lastBytes: Uint8Array | null = null;
  /** Something came since the last look. */
  #isHeard = false;
  #heardMs = performance.now();
  #isPinged = false;
  #isPongWaiting = false;

  /** @param peer who that is. @param isStopping whether the daemon accepts no more clients */
  constructor(socket: Socket, peer: TransportPeer, buffers: ReadBuffers, isStopping: () => boolean) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.#isStopping = isStopping;
    this.peer = { ...peer, isWeb: true };
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** libuv keeps the figure on the socket's handle; the kernel's part of what is encrypted is not told. */
  get unsentBytes(): number {
    if (this.peer.isEncrypted === true) return this.#socket.writableLength;
    return (this.#socket as unknown as WithHandle)._handle?.writeQueueSize ?? this.#socket.writableLength;
  }

  get isDestroyed(): boolean {
    return this.#isLeaving || this.#socket.destroyed;
  }

  get tcpEnds(): SocketEnds {
    return this.#socket;
  }

  attach(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    // Of an open WebSocket the end is told behind the messages that came before it.
    this.#socket.on('close', () => {
      if (this.#webSocket === null) receiver.closed();
    });
  }

  /** The request that opens it has come and was answered. */
  opened(webSocket: WebSocket): void {
    const receiver = this.#receiver!;
    this.#webSocket = webSocket;
    this.#isHeard = true;
    webSocket.on('message', (data, isBinary) => this.#message(data as Buffer, isBinary));
    webSocket.on('ping', (data) => this.#ping(data));
    webSocket.on('pong', () => {
      this.#isHeard = true;
    });
    webSocket.on('error', (error: NodeJS.ErrnoException) => {
      // The library has sent a Close with the code of the fault.
      if (error.code?.startsWith('WS_ERR') === true) this.#giveUp(`WebSocket: ${error.message}`);
      else receiver.failed(isSilenceError(error.code));
    });
    webSocket.on('close', () => {
      if (!this.#isLeaving) receiver.inputEnded();
      receiver.closed();
    });
    if (this.#lastBytes !== null) this.end(this.#lastBytes);
    else if (this.#isPaused) webSocket.pause();
  }

  /** An answer was sent that ends the connection before it is a WebSocket. */
  refuse(reason: string, lingerMs: number): void {
    const cut = setTimeout(() => this.#socket.destroy(), lingerMs);
    cut.unref();
    this.#socket.once('close', () => clearTimeout(cut));
    this.#giveUp(reason);
  }

  /**
   * Asks a silent client for a sign of life, and ends one that gives none. Nobody is judged who is not read, or who has yet to read what
   * goes before the question.
   */
  watch(nowMs: number, timeoutMs: number): void {
    const webSocket = this.#webSocket;
    if (webSocket === null || this.isDestroyed || webSocket.readyState !== WebSocket.OPEN) return;
    if (this.#isHeard || this.#isPaused || this.pendingBytes > 0) {
      this.#isHeard = false;
      this.#isPinged = false;
      this.#heardMs = nowMs;
      return;
    }
    const silentMs = nowMs - this.#heardMs;
    if (this.#isPinged && silentMs >= timeoutMs) this.#receiver!.failed(true);
    else if (!this.#isPinged && silentMs >= timeoutMs * PING_AFTER) {
      this.#isPinged = true;
      webSocket.ping();
    }
  }

  readLong(): void {
    this.#readsLong = true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#webSocket?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#webSocket?.resume();
  }

  write(bytes: Uint8Array, done?: () => void): void {
    this.#webSocket?.send(bytes, BINARY, done);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(bytes?: Uint8Array): void {
    const webSocket = this.#webSocket;
    if (webSocket === null) {
      this.#lastBytes = bytes ?? new Uint8Array(0);
      return;
    }
    if (bytes !== undefined && bytes.length > 0) this.write(bytes);
    if (this.#isStopping()) webSocket.close(CLOSE_GOING_AWAY, 'the daemon stops');
    else webSocket.close(CLOSE_NORMAL);
  }

  destroy(): void {
    if (!this.#isLeaving) this.#socket.destroy();
  }

  destroySoon(): void {
    if (!this.#isLeaving) this.#socket.destroySoon();
  }

  keepAlive(idleMs: number): void {
    this.#socket.setKeepAlive(true, idleMs);
  }

  #message(data: Buffer, isBinary: boolean): void {
    const receiver = this.#receiver!;
    if (this.#isLeaving) return;
    this.#isHeard = true;
    if (!isBinary) {
      this.#webSocket!.close(CLOSE_UNSUPPORTED, TEXT_REFUSED);
      this.#giveUp(`WebSocket: ${TEXT_REFUSED}`);
      return;
    }
    for (let from = 0; from < data.length; ) {
      const buffer: ReadBuffer = this.#readsLong ? this.#buffers.long : this.#buffers.short;
      const length = data.copy(buffer.bytes, 0, from);
      // What has come with this read is handed over all the same; it is bounded, and is kept with the session.
      if (!receiver.received(buffer, length)) this.pause();
      from += length;
    }
  }

  /** A client that asks often and reads no answer keeps one of them waiting. */
  #ping(data: Buffer): void {
    this.#isHeard = true;
    if (this.#isPongWaiting) return;
    this.#isPongWaiting = true;
    this.#webSocket!.pong(data, false, () => {
      this.#isPongWaiting = false;
    });
  }

  /** The receiver ends its side at once; the socket ends when the client has read why, or soon. */
  #giveUp(reason: string): void {
    if (this.isDestroyed) return;
    this.#isLeaving = true;
    this.#receiver!.violated(reason);
  }
}
