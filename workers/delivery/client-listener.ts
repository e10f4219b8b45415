/** Where clients connect. A listener accepts connections of its kind and hands each over as a `ClientTransport`. */
import type { ClientTransport, TransportPeer } from './client-transport.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { ReadBuffers } from './read-buffers.ts';

/** User and group that get the file of a Unix socket, when they are not those that make it. */
export interface SocketOwner {
  readonly uid: number;
  readonly gid: number;
}

/** One place where clients connect. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string | null; readonly port: number }
  /** TCP whose bytes are encrypted. */
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'unix';
      readonly path: string;
      readonly mode: number;
      /** The user that the daemon becomes; null: it keeps its user. */
      readonly owner: SocketOwner | null;
    }
  /** TCP for WebSockets. */
  | { readonly kind: 'websocket'; readonly host: string; readonly port: number }
  /** The same, encrypted. */
  | { readonly kind: 'websocket-tls'; readonly host: string; readonly port: number }
  /** A descriptor that another worker of this daemon listens on, for connections of this kind; TCP and Unix sockets are served alike. */
  | { readonly kind: 'shared'; readonly fd: number; readonly of: SharedKind };

export type SharedKind = 'tcp' | 'tls' | 'websocket' | 'websocket-tls';

/** Where a listener really listens, told to the supervisor: the port, and an absolute path, whatever the working folder will be. */
export interface BoundAddress {
  readonly address: ListenAddress;
  readonly fd: number;
}

export interface ListenerOptions {
  /** Connections that may wait to be accepted; the kernel cuts it to its own limit. */
  readonly backlog: number;
  /** Several workers of this daemon bind the same port (Node 23.1 and later). */
  readonly reusePort: boolean;
}

/** Of this worker; they may change while it listens. */
export type ListenerSettings = Pick<
  DeliverySettings,
  'tls' | 'handshakeTimeoutMs' | 'maxHandshakes' | 'webSocketOrigins' | 'clientTimeoutMs' | 'unixSocketMode'
>;

/** Takes the connections that a listener accepts. */
export interface ConnectionHost {
  readonly settings: Live<ListenerSettings>;
  /** Of the worker. */
  readonly counters: Float64Array;
  /** What all transports of the worker read into. */
  readonly buffers: ReadBuffers;
  /** A connection that is not read yet; the listener resumes it after this call. */
  accepted(transport: ClientTransport): void;
  /** A connection did not get through the handshake of TLS. @param reason without a full stop, for the log */
  tlsFailed(peer: TransportPeer, reason: string): void;
  /** Connections are ended because too many are in the handshake of TLS. */
  crowded(reason: string): void;
  /** A connection could not be accepted. */
  acceptFailed(error: NodeJS.ErrnoException): void;
}

export interface ClientListener {
  /** @throws (rejects) the bind error, with the address in its message */
  listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress>;
  /** Changes nothing. @throws when it could not go by these settings */
  checkSettings(settings: ListenerSettings): void;
  /** The settings of its host have changed, to checked ones. */
  settingsChanged(): void;
  /** No new connections from here on. */
  close(): void;
}
