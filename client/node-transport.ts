import { connect as connectSocket, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { isSilenceError, keepAliveDelayMs } from '../engine/wire/tcp-silence.ts';
import { type DaemonAddress, describeAddress } from './address.ts';
import { daemonWatch } from './daemon-watch.ts';
import { SkeinError } from './errors.ts';
import type { ResolvedTls } from './tls-options.ts';
import { Transport } from './transport.ts';

/** Over TCP, with or without TLS, or a Unix socket. */
export class NodeTransport extends Transport {
  readonly socket: Socket;
  readonly #daemonTimeoutMs: number;

  protected override readonly connectedEvent;

  /**
   * @param daemonTimeoutMs how long the daemon's machine may be silent; 0: as long as the system waits
   * @param tls null: not encrypted
   */
  constructor(address: DaemonAddress, daemonTimeoutMs: number, tls: ResolvedTls | null = null) {
    super(tls === null ? describeAddress(address) : `tls://${describeAddress(address)}`);
    this.connectedEvent = tls === null ? ('connect' as const) : ('secureConnect' as const);
    this.#daemonTimeoutMs = daemonTimeoutMs;
    const onread = {
      buffer: () => this.input.room(),
      callback: (lengthBytes: number) => {
        this.received(lengthBytes);
        return true;
      },
    };
    const keepAliveInitialDelay = daemonTimeoutMs === 0 ? 0 : keepAliveDelayMs(daemonTimeoutMs);
    if ('path' in address) this.socket = connectSocket({ path: address.path, onread });
    else if (tls === null)
      this.socket = connectSocket({
        ...address,
        onread,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay,
      } satisfies TcpNetConnectOpts);
    else {
      // Its types leave out what it takes of a socket.
      const tlsOptions: ConnectionOptions & { readonly onread: typeof onread } = {
        ...address,
        ...tls,
        onread,
        minVersion: 'TLSv1.2',
      };
      const socket = connectTls(tlsOptions);
      socket.once('connect', () => socket.setNoDelay(true).setKeepAlive(true, keepAliveInitialDelay));
      this.socket = socket;
    }
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
    const nobody = NOBODY_LISTENS[cause.code ?? ''];
    const reason = nobody === undefined ? reasonOf(cause) : `${nobody} (${cause.code})`;
    return new SkeinError(
      unresolved ? 'ILLEGAL_SPREAD' : 'COULD_NOT_CONNECT',
      `could not connect to ${this.description}: ${reason}`,
      { cause, ...(nobody === undefined ? {} : { reason: 'nobody-listens' }) },
    );
  }
}

const NOBODY_LISTENS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no daemon listens there',
  ENOENT: 'there is no such socket',
  ENOTSOCK: 'this is not a socket',
};

/** The error of a name with several addresses has no message of its own. */
const reasonOf = (cause: Error): string =>
  cause.message === '' && cause instanceof AggregateError
    ? cause.errors.map((error: Error) => error.message).join(', ')
    : cause.message;
