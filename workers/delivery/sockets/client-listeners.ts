/** The listeners of a worker, one for each kind of connection; the kind of an address chooses. */
import type {
  BoundAddress,
  ClientListener,
  ConnectionHost,
  ListenAddress,
  ListenerOptions,
  ListenerSettings,
} from '../client-listener.ts';
import { SocketListener } from './socket-listener.ts';
import { TlsListener } from './tls-listener.ts';
import { TlsTransport } from './tls-transport.ts';
import { WebSocketListener } from './websocket-listener.ts';

export class ClientListeners implements ClientListener {
  readonly #host: ConnectionHost;
  readonly #plain: SocketListener;
  readonly #tls: TlsListener;
  readonly #webSocket: WebSocketListener;

  constructor(host: ConnectionHost) {
    this.#host = host;
    this.#plain = new SocketListener(host);
    this.#tls = new TlsListener(host);
    this.#webSocket = new WebSocketListener(host);
  }

  listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    switch (address.kind === 'shared' ? address.of : address.kind) {
      case 'websocket':
        return this.#webSocket.listen(address, options);
      case 'websocket-tls':
        this.#webSocket.watch();
        return this.#tls.listen(address, options, (socket, peer) => this.#webSocket.takeSecured(socket, peer));
      case 'tls':
        return this.#tls.listen(address, options, (socket, peer) => {
          const transport = new TlsTransport(socket, peer, this.#host.buffers);
          this.#host.accepted(transport);
          transport.resume();
        });
      default:
        return this.#plain.listen(address, options);
    }
  }

  checkSettings(settings: ListenerSettings): void {
    this.#plain.checkSettings(settings);
    this.#tls.checkSettings(settings);
  }

  settingsChanged(): void {
    this.#plain.settingsChanged();
    this.#tls.settingsChanged();
    this.#webSocket.settingsChanged();
  }

  close(): void {
    this.#plain.close();
    this.#tls.close();
    this.#webSocket.close();
  }
}
