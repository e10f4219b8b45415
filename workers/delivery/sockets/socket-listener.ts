/** Opens the daemon's listening TCP and Unix sockets and hands over accepted connections. */
import { createServer, type Server } from 'node:net';
import type { BoundAddress, ConnectionHost, ListenAddress, ListenerOptions, SocketOwner } from '../client-listener.ts';
import { listenOptions, type WithHandle } from './listen-options.ts';
import { SocketTransport } from './socket-transport.ts';
import {
  checkSocketFolder,
  publishSocket,
  removeSocket,
  removeStaleSocket,
  type SocketFile,
  temporaryName,
} from './unix-socket.ts';

type SocketHost = Pick<ConnectionHost, 'buffers' | 'accepted' | 'acceptFailed'>;

/** Of sockets without anything in between. */
export type SocketAddress = Extract<ListenAddress, { readonly kind: 'tcp' | 'unix' | 'shared' }>;

export class SocketListener {
  readonly #servers: Server[] = [];
  readonly #socketFiles: SocketFile[] = [];
  readonly #host: SocketHost;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  async listen(address: SocketAddress, options: ListenerOptions): Promise<BoundAddress> {
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
      (accepted) => {
        const transport = new SocketTransport(accepted, this.#host.buffers);
        this.#host.accepted(transport);
        transport.resume();
      },
    );
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listenOptions(address, boundPath, options), () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    // A listener that cannot accept keeps trying: descriptors or memory may become free.
    server.on('error', (error: NodeJS.ErrnoException) => this.#host.acceptFailed(error));
    const fd = (server as unknown as WithHandle)._handle?.fd ?? -1;
    if (address.kind === 'unix') {
      try {
        const file = publishSocket(boundPath, address.path, address.mode, address.owner);
        this.#socketFiles.push(file);
        return { address: { ...address, path: file.path }, fd };
      } catch (error) {
        server.close();
        throw error;
      }
    }
    const bound = server.address();
    if (address.kind === 'tcp' && bound !== null && typeof bound === 'object') {
      return { address: { ...address, port: bound.port }, fd };
    }
    return { address, fd };
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const file of this.#socketFiles) removeSocket(file);
    this.#socketFiles.length = 0;
  }
}

/** Users whose stale sockets may be removed: the one this daemon runs as, and the one it becomes. */
const ownersOf = (owner: SocketOwner | null): readonly number[] => [
  process.geteuid?.() ?? 0,
  ...(owner === null ? [] : [owner.uid]),
];
