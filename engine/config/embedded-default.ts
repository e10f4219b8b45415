/**
 * The configuration of a daemon without a file: alone, for this machine only.
 *
 * A file's entry without interfaces listens on every address; an embedded daemon did not ask for that, so the default listens on
 * loopback and on the Unix socket.
 */
import { nodeIndex } from '../wire/ids.ts';
import { DEFAULT_PORT } from '../wire/limits.ts';
import type { Host, Segment } from './daemon-configuration.ts';
import type { Ipv4Address } from './ipv4.ts';

const DEFAULT_DAEMON_NAME = 'localhost';
const LOOPBACK_ADDRESS = '127.0.0.1' as Ipv4Address;
const LOOPBACK_BROADCAST = '127.0.0.255' as Ipv4Address;

/** @param port of the segment; 0 (any free port for clients) names no segment and becomes the default */
export function embeddedSegments(name: string = DEFAULT_DAEMON_NAME, port: number = DEFAULT_PORT): readonly Segment[] {
  const host: Host = {
    node: nodeIndex(0),
    name,
    address: LOOPBACK_ADDRESS,
    segment: 0,
    interfaces: [{ address: LOOPBACK_ADDRESS, uses: { clients: true, daemons: true, monitor: true }, implicit: false }],
  };
  return [{ address: LOOPBACK_BROADCAST, port: port === 0 ? DEFAULT_PORT : port, hosts: [host] }];
}
