/** A TCP client is never mistaken for a client of the Unix socket, which may have other rights. */
import { expect, it } from 'vitest';
import { peerOf } from '../../workers/delivery/sockets/socket-peer.ts';

it.each<readonly [string, Parameters<typeof peerOf>[0], string, string | undefined]>([
  ['TCP', { remoteAddress: '10.0.0.1', remotePort: 5, localAddress: '10.0.0.2' }, '10.0.0.1:5', '10.0.0.1'],
  ['the Unix socket', { remoteAddress: undefined, remotePort: undefined }, 'unix', undefined],
  ['TCP, reset already', { remoteAddress: undefined, remotePort: undefined, localAddress: '10.0.0.2' }, 'gone', 'gone'],
])('a client of %s', (_, socket, label, address) => {
  expect(peerOf(socket)).toEqual({ label, address });
});
