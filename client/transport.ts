import { connect as connectSocket, type Socket, type TcpNetConnectOpts } from 'node:net';
import { isSilenceError, keepAliveDelayMs } from '../engine/wire/tcp-silence.ts';
import { type DaemonAddress, describeAddress } from './address.ts';
import type { AuthChannel } from './auth.ts';
import { checkInteger } from './check.ts';
import { daemonWatch } from './daemon-watch.ts';
import { SkeinError } from './errors.ts';
import { ReceiveBuffer } from './receive/receive-buffer.ts';
import { bytesOf, lengthOf, plainView } from './send/data.ts';

/** Handles what is read: the handshake first, then the session's receiver. */
export interface ByteConsumer {
  /** New bytes are in `input`; the consumer advances `input.start` over what it is done with. */
  receive(input: ReceiveBuffer): void;
  /** Nothing more will come: the daemon or the network ended the connection, or `Transport.destroy` did. */
  ended(reason: unknown): void;
}

/** The connection to the daemon: reads into one reused buffer, and turns every way to end into one reason. */
export class Transport {
  readonly socket: Socket;
  readonly input = new ReceiveBuffer();
  readonly description: string;
  #consumer: ByteConsumer | undefined;
  #failure: { readonly reason: unknown } | undefined;
  readonly #daemonTimeoutMs: number;
  #connected = false;

  /** @param daemonTimeoutMs how long the daemon's machine may be silent; 0: as long as the system waits */
  constructor(address: DaemonAddress, daemonTimeoutMs: number) {
    this.#daemonTimeoutMs = daemonTimeoutMs;
    this.description = describeAddress(address);
    const onread = {
      buffer: () => this.input.room(),
      callback: (lengthBytes: number) => {
        this.input.commit(lengthBytes);
        this.#consumer?.receive(this.input);
        return true;
      },
    };
    this.socket =
      'path' in address
        ? connectSocket({ path: address.path, onread })
        : connectSocket({
            ...address,
            onread,
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: daemonTimeoutMs === 0 ? 0 : keepAliveDelayMs(daemonTimeoutMs),
          } satisfies TcpNetConnectOpts);
    if (!('path' in address) && daemonTimeoutMs > 0) {
      this.socket.once('connect', () =>
        daemonWatch.add(this.socket, daemonTimeoutMs, () => this.destroy(this.#vanished(undefined))),
      );
    }
    this.socket.on('error', (cause: NodeJS.ErrnoException) => this.#fail(this.#describeFailure(cause)));
    this.socket.on('end', () => this.#fail(this.#closedByDaemon()));
    this.socket.on('close', () => this.#fail(this.#closedByDaemon()));
  }

  /**
   * Resolves when the connection stands; rejects with COULD_NOT_CONNECT, ILLEGAL_SPREAD or the reason given to
   * `destroy`.
   */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.attach({ receive: () => undefined, ended: reject });
      this.socket.once('connect', () => {
        this.#connected = true;
        resolve();
      });
    });
  }

  /** Makes `consumer` the receiver of new bytes and of the end; an end that already came is reported at once. */
  attach(consumer: ByteConsumer): void {
    this.#consumer = consumer;
    if (this.#failure !== undefined) consumer.ended(this.#failure.reason);
  }

  /**
   * Ends the connection now; unsent bytes are lost. `reason` is what the consumer learns, unless it has one already.
   */
  destroy(reason: unknown): void {
    this.#fail(reason);
    this.socket.destroy();
  }

  #fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#consumer?.ended(reason);
  }

  #closedByDaemon(): SkeinError {
    return new SkeinError('CONNECTION_CLOSED', `the daemon at ${this.description} closed the connection`);
  }

  #vanished(cause: NodeJS.ErrnoException | undefined): SkeinError {
    const limit = this.#daemonTimeoutMs === 0 ? '' : ` (daemonTimeoutMs ${this.#daemonTimeoutMs})`;
    const message = `lost the connection to ${this.description}: its machine does not answer any more${limit}`;
    return new SkeinError('CONNECTION_CLOSED', message, { cause, reason: 'daemon-vanished' });
  }

  #describeFailure(cause: NodeJS.ErrnoException): SkeinError {
    if (this.#connected && isSilenceError(cause.code)) return this.#vanished(cause);
    if (this.#connected)
      return new SkeinError('CONNECTION_CLOSED', `lost the connection to ${this.description}: ${cause.message}`, {
        cause,
      });
    const unresolved = cause.syscall === 'getaddrinfo';
    return new SkeinError(
      unresolved ? 'ILLEGAL_SPREAD' : 'COULD_NOT_CONNECT',
      `could not connect to ${this.description}: ${cause.message}`,
      { cause },
    );
  }
}

/** The most that one read of an authentication method may ask for; the handshake of Spread needs some 100 bytes. */
const MAX_READ_BYTES = 1024 * 1024;

/** Exact reads over a transport, for as long as the handshake goes. */
export class HandshakeChannel implements AuthChannel, ByteConsumer {
  readonly #transport: Transport;
  #wanted = 0;
  #waiting: { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (reason: unknown) => void } | undefined;
  #failure: { readonly reason: unknown } | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.attach(this);
  }

  read(lengthBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      checkInteger('lengthBytes', lengthBytes, 0, MAX_READ_BYTES);
      if (this.#waiting !== undefined)
        throw new SkeinError('ILLEGAL_STATE', 'read: the read before it has not ended; await it first');
      this.#wanted = lengthBytes;
      this.#waiting = { resolve, reject };
      this.receive(this.#transport.input);
      if (this.#failure !== undefined) this.ended(this.#failure.reason);
    });
  }

  /** The original daemon reads each part with a single call, so each must be one write (section 1.2). */
  write(bytes: Uint8Array): void {
    const source = bytesOf('bytes', bytes);
    // The method may use its memory again at once.
    if (lengthOf(source) > 0) this.#transport.socket.write(Buffer.from(plainView(source)));
  }

  receive(input: ReceiveBuffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined || input.end - input.start < this.#wanted) return;
    const bytes = Uint8Array.prototype.slice.call(input.bytes, input.start, input.start + this.#wanted);
    input.start += this.#wanted;
    this.#waiting = undefined;
    waiting.resolve(bytes);
  }

  ended(reason: unknown): void {
    this.#failure = { reason };
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }
}
