/** The other end of an accepted socket. */
import type { Socket } from 'node:net';
import type { TransportPeer } from '../client-transport.ts';

/** Stands for the address of a client that is gone; fits no rule. */
const GONE = 'gone';

type Ends = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>;

/**
 * Of a TCP or Unix socket. A TCP connection that its client has reset already has no remote address any more, and must not pass for one
 * of the Unix socket, which has no local address either.
 */
export function peerOf(socket: Ends): TransportPeer {
  const isUnix = socket.remoteAddress === undefined && socket.localAddress === undefined;
  return isUnix ? { label: 'unix', address: undefined } : tcpPeerOf(socket);
}

/** Of a socket that is known to be one of TCP, whatever has become of it. */
export const tcpPeerOf = ({ remoteAddress, remotePort }: Ends): TransportPeer =>
  remoteAddress === undefined
    ? { label: GONE, address: GONE }
    : { label: `${remoteAddress}:${remotePort}`, address: remoteAddress };
