/** The listeners of a worker, one for each kind of connection; the kind of an address chooses. */
import type {
  BoundAddress,
  ClientListener,
  ConnectionHost,
  ListenAddress,
  ListenerOptions,
} from '../client-listener.ts';
import { SocketListener } from './socket-listener.ts';
import { TlsListener } from './tls-listener.ts';
import { WebSocketListener } from './websocket-listener.ts';

export class ClientListeners implements ClientListener {
  readonly #plain: SocketListener;
  readonly #tls: TlsListener;
  readonly #webSocket: WebSocketListener;

  /** @param clientTimeoutMs 0: silent clients are not looked for */
  constructor(host: ConnectionHost, clientTimeoutMs: number) {
    this.#plain = new SocketListener(host);
    this.#tls = new TlsListener(host);
    this.#webSocket = new WebSocketListener(host, clientTimeoutMs);
  }

  listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    if (address.kind === 'websocket' || address.kind === 'shared-websocket')
      return this.#webSocket.listen(address, options);
    if (address.kind === 'tls' || address.kind === 'shared-tls') return this.#tls.listen(address, options);
    return this.#plain.listen(address, options);
  }

  settingsChanged(): void {
    this.#tls.settingsChanged();
  }

  close(): void {
    this.#plain.close();
    this.#tls.close();
    this.#webSocket.close();
  }
}
