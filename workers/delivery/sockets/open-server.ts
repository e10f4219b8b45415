/** Opens a server of Node, of whatever protocol, on an address of clients. */
import type { ListenOptions, Server } from 'node:net';
import type { BoundAddress, ConnectionHost, ListenAddress, ListenerOptions } from '../client-listener.ts';

/** Node's private side of a server. */
interface WithHandle {
  readonly _handle: { readonly fd?: number } | null;
}

/**
 * Resolves when it listens, with the port that it got.
 * @throws (rejects) the bind error
 */
export async function openServer(
  server: Server,
  address: ListenAddress,
  options: ListenerOptions,
  host: Pick<ConnectionHost, 'acceptFailed'>,
): Promise<BoundAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOptions(address, options), () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  // A listener that cannot accept keeps trying: descriptors or memory may become free.
  server.on('error', (error: NodeJS.ErrnoException) => host.acceptFailed(error));
  const fd = (server as unknown as WithHandle)._handle?.fd ?? -1;
  const bound = server.address();
  return 'port' in address && bound !== null && typeof bound === 'object'
    ? { address: { ...address, port: bound.port }, fd }
    : { address, fd };
}

function listenOptions(
  address: ListenAddress,
  { backlog, reusePort }: ListenerOptions,
): ListenOptions & { reusePort?: boolean; fd?: number } {
  if ('path' in address) return { path: address.path, backlog };
  if ('fd' in address) return { fd: address.fd, backlog };
  const { host, port } = address;
  const tcp = host === null ? { port, backlog } : { port, host, backlog };
  return reusePort ? { ...tcp, reusePort: true } : tcp;
}
