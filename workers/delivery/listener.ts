/** Opens the daemon's listening sockets and hands over accepted connections, reading into one buffer for all. */
import { createServer, type ListenOptions, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import {
  checkSocketFolder,
  publishSocket,
  removeSocket,
  removeStaleSocket,
  type SocketFile,
  type SocketOwner,
  temporaryName,
} from './unix-socket.ts';

/** One place where clients connect. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string | null; readonly port: number }
  | {
      readonly kind: 'unix';
      readonly path: string;
      readonly mode: number;
      /** The user that the daemon becomes; null: it stays who it is. */
      readonly owner: SocketOwner | null;
    }
  /** A descriptor that another worker of this daemon listens on. */
  | { readonly kind: 'shared'; readonly fd: number };

/** Where a listener really listens, told to the supervisor. */
export interface BoundAddress {
  readonly address: ListenAddress;
  readonly fd: number;
}

/** How much of a connection is read at once. */
export interface ReadMode {
  /** Into the large buffer, from the next read but one on. A connection begins with short reads. */
  isLong: boolean;
}

/** @param bytes begins with the `lengthBytes` bytes just read: one of the two buffers. @returns whether to read on */
export type ReadCallback = (socket: Socket, bytes: Buffer, lengthBytes: number) => boolean;
export type AcceptCallback = (socket: Socket, mode: ReadMode) => void;
/** A connection could not be accepted. */
export type AcceptErrorCallback = (error: NodeJS.ErrnoException) => void;

/** Node's private side of a socket, used where the public one cannot hand over an accepted connection. */
interface WithHandle {
  _handle: { readonly fd?: number } | null;
}

export interface ListenerOptions {
  /** Connections that may wait to be accepted; the kernel cuts it to its own limit. */
  readonly backlog: number;
  /** Several workers of this daemon bind the same port (Node 23.1 and later). */
  readonly reusePort: boolean;
  /** How long a connection is idle before its peer is asked for a sign of life; 0: what the system does. */
  readonly keepAliveDelayMs: number;
}

export class Listener {
  readonly #servers: Server[] = [];
  readonly #socketFiles: SocketFile[] = [];
  readonly #readBuffer: Buffer;
  readonly #shortBuffer: Buffer;
  readonly #onRead: ReadCallback;
  readonly #onAccept: AcceptCallback;
  readonly #onAcceptError: AcceptErrorCallback;

  /** @param shortBuffer what strangers are read into: nobody keeps more of them than one read brings */
  constructor(
    readBuffer: Buffer,
    shortBuffer: Buffer,
    onRead: ReadCallback,
    onAccept: AcceptCallback,
    onAcceptError: AcceptErrorCallback,
  ) {
    this.#readBuffer = readBuffer;
    this.#shortBuffer = shortBuffer;
    this.#onRead = onRead;
    this.#onAccept = onAccept;
    this.#onAcceptError = onAcceptError;
  }

  /** @throws (rejects) the bind error, with the address in its message */
  async listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    if (address.kind === 'unix') {
      checkSocketFolder(address.path);
      await removeStaleSocket(address.path, ownersOf(address.owner));
    }
    const boundPath = address.kind === 'unix' ? temporaryName(address.path) : '';
    const server = createServer(
      {
        pauseOnConnect: true,
        noDelay: address.kind === 'tcp',
        keepAlive: true,
        keepAliveInitialDelay: options.keepAliveDelayMs,
      },
      (accepted) => this.#accept(accepted),
    );
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listenOptions(address, boundPath, options), () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    // A listener that cannot accept now goes on: there may be descriptors or memory again.
    server.on('error', (error: NodeJS.ErrnoException) => this.#onAcceptError(error));
    const fd = (server as unknown as WithHandle)._handle?.fd ?? -1;
    if (address.kind === 'unix') {
      try {
        this.#socketFiles.push(publishSocket(boundPath, address.path, address.mode, address.owner));
      } catch (error) {
        server.close();
        throw error;
      }
      return { address, fd };
    }
    const bound = server.address();
    if (address.kind === 'tcp' && bound !== null && typeof bound === 'object') {
      return { address: { ...address, port: bound.port }, fd };
    }
    return { address, fd };
  }

  /** No new connections from here on. */
  close(): void {
    for (const server of this.#servers) server.close();
    for (const file of this.#socketFiles) removeSocket(file);
    this.#socketFiles.length = 0;
  }

  /**
   * Node gives a listener no say in how its connections read: each would get a fresh 64 KiB buffer per read. So the accepted handle
   * moves into a socket of our own that reads into the worker's one buffer. Should a future Node hide the handle,
   * reading falls back to `data` events, which only costs a copy.
   */
  #accept(accepted: Socket): void {
    const handle = (accepted as unknown as WithHandle)._handle;
    if (handle === null || handle === undefined) {
      this.#readByEvents(accepted);
      return;
    }
    (accepted as unknown as WithHandle)._handle = null;
    const mode: ReadMode = { isLong: false };
    let given: Buffer | null = null;
    const options = {
      handle,
      onread: {
        // Asked at the beginning and after each read; null leaves the socket the one it has.
        buffer: () => {
          const wanted = mode.isLong ? this.#readBuffer : this.#shortBuffer;
          if (wanted === given) return null;
          given = wanted;
          return wanted;
        },
        callback: (lengthBytes: number) => this.#onRead(socket, given!, lengthBytes),
      },
    };
    const socket: Socket = new Socket(options as unknown as SocketConstructorOpts);
    this.#onAccept(socket, mode);
    socket.resume();
  }

  /** A chunk that has come is given away whole; here up to 64 KiB of a handshake are kept. */
  #readByEvents(socket: Socket): void {
    const mode: ReadMode = { isLong: false };
    socket.on('data', (chunk: Buffer) => {
      for (let from = 0; from < chunk.length; ) {
        const bytes = mode.isLong ? this.#readBuffer : this.#shortBuffer;
        const length = chunk.copy(bytes, 0, from);
        if (!this.#onRead(socket, bytes, length)) socket.pause();
        from += length;
      }
    });
    this.#onAccept(socket, mode);
    socket.resume();
  }
}

/** Users whose stale sockets may be removed: the one this daemon runs as, and the one it becomes. */
const ownersOf = (owner: SocketOwner | null): readonly number[] => [
  process.geteuid?.() ?? 0,
  ...(owner === null ? [] : [owner.uid]),
];

function listenOptions(
  address: ListenAddress,
  boundPath: string,
  options: ListenerOptions,
): ListenOptions & { reusePort?: boolean; fd?: number } {
  const { backlog } = options;
  if (address.kind === 'unix') return { path: boundPath, backlog };
  if (address.kind === 'shared') return { fd: address.fd, backlog };
  const tcp =
    address.host === null ? { port: address.port, backlog } : { port: address.port, host: address.host, backlog };
  return options.reusePort ? { ...tcp, reusePort: true } : tcp;
}
