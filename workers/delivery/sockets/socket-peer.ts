/** The other end of an accepted socket. */
import type { Socket } from 'node:net';
import type { TransportPeer } from '../client-transport.ts';

/** Stands for the address of a client that is gone; fits no rule. */
const GONE = 'gone';

/**
 * A TCP connection that its client has reset already has no remote address any more, and must not pass for one of the Unix socket, which
 * has no local address either.
 */
export function peerOf({
  remoteAddress,
  remotePort,
  localAddress,
}: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>): TransportPeer {
  if (remoteAddress !== undefined) return { label: `${remoteAddress}:${remotePort}`, address: remoteAddress };
  return localAddress === undefined ? { label: 'unix', address: undefined } : { label: GONE, address: GONE };
}
