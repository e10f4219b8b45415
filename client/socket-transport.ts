import { connect as connectSocket, type Socket, type TcpNetConnectOpts } from 'node:net';
import { isSilenceError, keepAliveDelayMs } from '../engine/wire/tcp-silence.ts';
import { type DaemonAddress, describeAddress } from './address.ts';
import { daemonWatch } from './daemon-watch.ts';
import { SkeinError } from './errors.ts';
import { Transport } from './transport.ts';

/** Over TCP or a Unix socket. */
export class SocketTransport extends Transport {
  readonly socket: Socket;
  readonly #daemonTimeoutMs: number;

  /** @param daemonTimeoutMs how long the daemon's machine may be silent; 0: as long as the system waits */
  constructor(address: DaemonAddress, daemonTimeoutMs: number) {
    super(describeAddress(address));
    this.#daemonTimeoutMs = daemonTimeoutMs;
    const onread = {
      buffer: () => this.input.room(),
      callback: (lengthBytes: number) => {
        this.received(lengthBytes);
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
    this.socket.on('error', (cause: NodeJS.ErrnoException) => this.fail(this.#describeFailure(cause)));
    this.socket.on('end', () => this.fail(this.closedByDaemon()));
    this.socket.on('close', () => this.fail(this.closedByDaemon()));
  }

  #vanished(cause: NodeJS.ErrnoException | undefined): SkeinError {
    const limit = this.#daemonTimeoutMs === 0 ? '' : ` (daemonTimeoutMs ${this.#daemonTimeoutMs})`;
    const message = `lost the connection to ${this.description}: its machine does not answer any more${limit}`;
    return new SkeinError('CONNECTION_CLOSED', message, { cause, reason: 'daemon-vanished' });
  }

  #describeFailure(cause: NodeJS.ErrnoException): SkeinError {
    if (this.isConnected && isSilenceError(cause.code)) return this.#vanished(cause);
    if (this.isConnected)
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
