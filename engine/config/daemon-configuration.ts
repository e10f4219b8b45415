/** The configuration of one daemon: segments and hosts of the file, its own entry, and every option. */
import type { NodeIndex } from '../wire/ids.ts';
import type { ConfigurationOptions, SegmentTransport } from './configuration-options.ts';
import { type Ipv4Address, isLoopback, isMulticast, network16 } from './ipv4.ts';

/** Limits of section 9.3. */
export const MAX_HOSTS = 128;
export const MAX_SEGMENTS = 20;
export const MAX_HOSTS_PER_SEGMENT = 128;
export const MAX_INTERFACES_PER_HOST = 10;

export interface InterfaceUses {
  readonly clients: boolean;
  readonly daemons: boolean;
  readonly monitor: boolean;
}

export interface HostInterface {
  readonly address: Ipv4Address;
  readonly uses: InterfaceUses;
  /** The one interface of an entry without a block: its clients connect to any address of the machine. */
  readonly implicit: boolean;
}

export interface Host {
  /** Place in the file: order of the ring, of leadership and of members in views. */
  readonly node: NodeIndex;
  readonly name: string;
  /** Identity of the daemon in the monitor protocol and in the configuration hash. */
  readonly address: Ipv4Address;
  /** Index into `segments`. */
  readonly segment: number;
  /** Never empty. */
  readonly interfaces: readonly HostInterface[];
}

export interface Segment {
  /** Broadcast or multicast address of the segment. */
  readonly address: Ipv4Address;
  /** Every daemon of the segment uses it: TCP for clients, UDP for data and, one above, for tokens. */
  readonly port: number;
  readonly hosts: readonly Host[];
}

export interface DaemonConfiguration {
  readonly segments: readonly Segment[];
  readonly options: ConfigurationOptions;
}

/** All hosts, in configuration order: `allHosts(c)[node].node === node`. */
export const allHosts = (segments: readonly Segment[]): readonly Host[] => segments.flatMap((segment) => segment.hosts);

/** For `RingNodeOptions.segmentOf`. */
export const segmentNumbers = (segments: readonly Segment[]): readonly number[] =>
  allHosts(segments).map((host) => host.segment);

/** WAN: the first hosts of the segments do not share their upper 16 address bits (section 9.4). */
export function isWideArea(segments: readonly Segment[]): boolean {
  const networks = segments.flatMap(({ hosts }) => (hosts[0] === undefined ? [] : [network16(hosts[0].address)]));
  return new Set(networks).size > 1;
}

/** Address for clients that means every address of the machine. */
const WILDCARD_ADDRESS = '0.0.0.0' as Ipv4Address;

const LOOPBACK_ADDRESS = '127.0.0.1' as Ipv4Address;

/**
 * Where a daemon listens for clients (section 9.3): exactly the listed interfaces for clients, or without such a list the wildcard.
 * In a configuration that names only loopback the wildcard would accept connections from outside: there it is the daemon's own
 * address and 127.0.0.1, where `PORT@localhost` connects to, unless another daemon of the machine has that port.
 */
export function clientAddresses(host: Host, segments: readonly Segment[]): readonly Ipv4Address[] {
  if (!host.interfaces.some((iface) => iface.implicit)) return addressesFor(host, 'clients');
  const hosts = allHosts(segments);
  if (!hosts.every(isOnLoopback)) return [WILDCARD_ADDRESS];
  const portOf = ({ segment }: Host): number => segments[segment]!.port;
  const sharesPort = hosts.some((other) => other.node !== host.node && portOf(other) === portOf(host));
  return [...new Set([host.address, ...(sharesPort ? [] : [LOOPBACK_ADDRESS])])];
}

const isOnLoopback = (host: Host): boolean =>
  isLoopback(host.address) && host.interfaces.every(({ address }) => isLoopback(address));

/** Addresses of `host` for one use, in the order of the file, each once. */
export const addressesFor = (host: Host, use: keyof InterfaceUses): readonly Ipv4Address[] => [
  ...new Set(host.interfaces.filter((iface) => iface.uses[use]).map((iface) => iface.address)),
];

/** How daemons of `segment` reach each other: the option, else unicast on loopback, else what its address is for. */
export function segmentTransport(segment: Segment, options: Pick<ConfigurationOptions, 'transport'>): SegmentTransport {
  if (options.transport !== null) return options.transport;
  if (isLoopback(segment.address)) return 'unicast';
  return isMulticast(segment.address) ? 'multicast' : 'broadcast';
}
