/** Opens the daemon's listening TCP and Unix sockets and hands over accepted connections. */
import { createServer, type Server } from 'node:net';
import type {
  BoundAddress,
  ConnectionHost,
  ListenAddress,
  ListenerOptions,
  ListenerSettings,
  SocketOwner,
} from '../client-listener.ts';
import { openServer } from './open-server.ts';
import { SocketTransport } from './socket-transport.ts';
import {
  changeMode,
  checkMayChange,
  checkSocketFolder,
  publishSocket,
  removeSocket,
  removeStaleSocket,
  type SocketFile,
  temporaryName,
} from './unix-socket.ts';

type SocketHost = Pick<ConnectionHost, 'buffers' | 'accepted' | 'acceptFailed' | 'settings'>;

export class SocketListener {
  readonly #servers: Server[] = [];
  readonly #socketFiles: SocketFile[] = [];
  readonly #host: SocketHost;
  /** Of the Unix sockets' files. */
  #mode: number;

  constructor(host: SocketHost) {
    this.#host = host;
    this.#mode = host.settings.current.unixSocketMode;
  }

  /** @param address of sockets without anything in between */
  async listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    if (address.kind === 'unix') {
      checkSocketFolder(address.path);
      await removeStaleSocket(address.path, ownersOf(address.owner));
    }
    const boundPath = address.kind === 'unix' ? temporaryName(address.path) : '';
    const server = createServer(
      {
        pauseOnConnect: true,
        // A Unix socket has nothing to delay.
        noDelay: true,
      },
      (accepted) => {
        const transport = new SocketTransport(accepted, this.#host.buffers);
        this.#host.accepted(transport);
        transport.resume();
      },
    );
    this.#servers.push(server);
    if (address.kind !== 'unix') return openServer(server, address, options, this.#host);
    const { fd } = await openServer(server, { ...address, path: boundPath }, options, this.#host);
    try {
      const file = publishSocket(boundPath, address.path, address.mode, address.owner);
      this.#socketFiles.push(file);
      return { address: { ...address, path: file.path }, fd };
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** @throws when the file of a Unix socket is not there any more, or another user's */
  checkSettings({ unixSocketMode }: Pick<ListenerSettings, 'unixSocketMode'>): void {
    if (unixSocketMode === this.#mode) return;
    for (const file of this.#socketFiles) checkMayChange(file);
  }

  settingsChanged(): void {
    const { unixSocketMode } = this.#host.settings.current;
    if (unixSocketMode === this.#mode) return;
    this.#mode = unixSocketMode;
    for (const file of this.#socketFiles) changeMode(file, unixSocketMode);
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
