/**
 * Opens the daemon's listening TLS sockets and hands over connections that are through the handshake of TLS, to whatever speaks over
 * them: the protocol itself, or WebSockets.
 */
import { createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls';
import { DeliveryCounter } from '../../../engine/buffers/counters.ts';
import type {
  BoundAddress,
  ConnectionHost,
  ListenAddress,
  ListenerOptions,
  ListenerSettings,
} from '../client-listener.ts';
import type { TransportPeer } from '../client-transport.ts';
import type { TlsSettings } from '../tls-settings.ts';
import { openServer } from './open-server.ts';
import { clientCertificateOptions, commonNameOf, secureContextOptions } from './tls-context.ts';
import { TlsHandshakes, tlsPeerOf } from './tls-handshakes.ts';

/** Takes a connection after its handshake, paused. */
export type TakeSecured = (socket: TLSSocket, peer: TransportPeer) => void;

export class TlsListener {
  readonly #servers: Server[] = [];
  readonly #host: ConnectionHost;
  readonly #handshakes: TlsHandshakes;
  /** In force at the servers. */
  #tls: TlsSettings | null = null;

  constructor(host: ConnectionHost) {
    this.#host = host;
    this.#handshakes = new TlsHandshakes(host);
  }

  async listen(address: ListenAddress, options: ListenerOptions, take: TakeSecured): Promise<BoundAddress> {
    const server = this.#createServer(take);
    this.#servers.push(server);
    return openServer(server, address, options, this.#host);
  }

  /** @throws when the certificate cannot be used */
  checkSettings({ tls }: Pick<ListenerSettings, 'tls'>): void {
    if (this.#servers.length === 0 || tls === this.#tls) return;
    if (tls === null) throw new Error('a daemon that serves over TLS needs a certificate');
    createSecureContext(secureContextOptions(tls));
  }

  settingsChanged(): void {
    const { tls } = this.#host.settings.current;
    if (tls === null || tls === this.#tls) return;
    this.#tls = tls;
    for (const server of this.#servers) {
      server.setSecureContext(secureContextOptions(tls));
      Object.assign(server, clientCertificateOptions(tls));
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#handshakes.close();
  }

  #createServer(take: TakeSecured): Server {
    const { tls, handshakeTimeoutMs } = this.#host.settings.current;
    if (tls === null) throw new Error('the daemon has no certificate');
    this.#tls = tls;
    const server = createServer({
      ...secureContextOptions(tls),
      ...clientCertificateOptions(tls),
      // `TlsHandshakes` keeps the time; this only switches Node's own, longer one off.
      handshakeTimeout: handshakeTimeoutMs + 1000,
      noDelay: true,
    });
    server.on('connection', (socket) => this.#handshakes.begin(socket));
    server.on('secureConnection', (socket) => this.#secured(socket, take));
    server.on('tlsClientError', (error, socket) => this.#failed(socket, reasonOf(error)));
    return server;
  }

  #secured(socket: TLSSocket, take: TakeSecured): void {
    if (!this.#handshakes.end(socket)) {
      socket.destroy();
      return;
    }
    // Errors before the session takes over.
    socket.on('error', () => socket.destroy());
    const { subject } = socket.getPeerCertificate();
    const isShown = subject !== undefined;
    if (isShown && !socket.authorized) {
      this.#failed(socket, `certificate of the client: ${String(socket.authorizationError)}`);
      socket.destroy();
      return;
    }
    this.#host.counters[DeliveryCounter.TlsHandshakesDone]!++;
    const name = isShown ? commonNameOf(subject.CN) : null;
    take(socket, name === null ? tlsPeerOf(socket) : { ...tlsPeerOf(socket), certificate: name });
  }

  #failed(socket: TLSSocket, reason: string): void {
    this.#handshakes.end(socket);
    this.#host.counters[DeliveryCounter.TlsHandshakesFailed]!++;
    this.#host.tlsFailed(tlsPeerOf(socket), reason);
  }
}

/** OpenSSL's own words without its addresses and line numbers. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const { reason } = error as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : (error.code ?? error.message);
}
