/** An address of clients as Node's servers take it. */
import type { ListenOptions } from 'node:net';
import type { ListenAddress, ListenerOptions } from '../client-listener.ts';

/** Of sockets that carry the client protocol at once, or behind the handshake of TLS. */
export type StreamAddress = Extract<ListenAddress, { readonly kind: 'tcp' | 'unix' | 'shared' | 'tls' | 'shared-tls' }>;

/** Node's private side of a server. */
export interface WithHandle {
  readonly _handle: { readonly fd?: number } | null;
}

/** @param boundPath of a Unix socket */
export function listenOptions(
  address: StreamAddress,
  boundPath: string,
  options: ListenerOptions,
): ListenOptions & { reusePort?: boolean; fd?: number } {
  const { backlog } = options;
  if (address.kind === 'unix') return { path: boundPath, backlog };
  if (address.kind === 'shared' || address.kind === 'shared-tls') return { fd: address.fd, backlog };
  const tcp =
    address.host === null ? { port: address.port, backlog } : { port: address.port, host: address.host, backlog };
  return options.reusePort ? { ...tcp, reusePort: true } : tcp;
}
