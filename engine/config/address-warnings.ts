/**
 * Addresses of a configuration that are well written and still do not work: a name that stands for loopback, an address of another machine,
 * a segment that fits no interface, datagrams longer than the network takes. `skein conf check` and the start of a daemon say the same.
 */
import type { ConfigProblem } from './config-error.ts';
import type { ConfigurationOptions } from './configuration-options.ts';
import { addressesFor, allHosts, type Host, type Segment, segmentTransport } from './daemon-configuration.ts';
import { type Ipv4Address, ipv4FromNumber, ipv4ToNumber, isLoopback, isMulticast } from './ipv4.ts';
import type { ConfigFile } from './parse-config.ts';
import type { HostEntry, Word } from './syntax-tree.ts';

/** An IPv4 address of this machine. */
export interface LocalInterface {
  /** Such as `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  /** Loopback: on Linux the whole network is this machine. */
  readonly isInternal: boolean;
  /** Bytes; null: unknown. */
  readonly mtuBytes: number | null;
}

export interface AddressContext {
  readonly file: ConfigFile;
  readonly segments: readonly Segment[];
  readonly options: Pick<ConfigurationOptions, 'transport' | 'datagramSize'>;
  readonly interfaces: readonly LocalInterface[];
  /** The entry that this machine runs; null: none is known, and only what holds anywhere is said. */
  readonly self: Host | null;
}

/** Headers of IPv4 and UDP. */
const IP_UDP_BYTES = 28;
/** What a daemon sends while nothing longer is known to pass. */
const SHORT_DATAGRAM_BYTES = 1400;
const EVERYBODY = '255.255.255.255';
const WILDCARD = '0.0.0.0';

export function addressWarnings(context: AddressContext): readonly ConfigProblem[] {
  const { file, segments, self } = context;
  const entries = file.items.flatMap((item) => (item.kind === 'segment' ? item.hosts : []));
  const hosts = allHosts(segments);
  const warnings = [...impossibleHosts(hosts, entries), ...loopbackAmongOthers(hosts, segments, entries)];
  if (self === null) return warnings;
  const at = entries[self.node]!.name;
  const foreign = foreignAddresses(self, at, context);
  // What follows is about the interface of the address.
  if (foreign.length > 0) return [...warnings, ...foreign];
  return [...warnings, ...segmentThatFitsNoInterface(self, at, context), ...longDatagrams(self, at, context)];
}

/** Where a daemon sends from, and is sent to. */
const ringAddress = (host: Host): Ipv4Address => addressesFor(host, 'daemons')[0] ?? host.address;

/** The entry that this machine probably runs, for a check without a name: found by address, else by host name. */
export function likelySelf(
  segments: readonly Segment[],
  interfaces: readonly LocalInterface[],
  hostName: string,
): Host | null {
  const hosts = allHosts(segments);
  const byAddress = hosts.find((host) => !isLoopback(host.address) && isLocal(host.address, interfaces));
  const [short] = hostName.split('.');
  return byAddress ?? hosts.find(({ name }) => name === hostName) ?? hosts.find(({ name }) => name === short) ?? null;
}

function impossibleHosts(hosts: readonly Host[], entries: readonly HostEntry[]): readonly ConfigProblem[] {
  return hosts.flatMap((host) => {
    const wrong = [...new Set([host.address, ...host.interfaces.map(({ address }) => address)])].filter(
      (address) => isMulticast(address) || address === EVERYBODY || (address === WILDCARD && hosts.length > 1),
    );
    return wrong.map((address) =>
      warning(entries[host.node]!.name, `${host.name} has the address ${address}, at which no daemon can be reached`),
    );
  });
}

function loopbackAmongOthers(
  hosts: readonly Host[],
  segments: readonly Segment[],
  entries: readonly HostEntry[],
): readonly ConfigProblem[] {
  if (hosts.length < 2) return [];
  const beyond = hosts.find((host) => !isLoopback(ringAddress(host)));
  return hosts.flatMap((host) => {
    const address = ringAddress(host);
    const segment = segments[host.segment]!;
    if (!isLoopback(address) || (beyond === undefined && isLoopback(segment.address))) return [];
    const entry = entries[host.node]!;
    const isLookedUp = entry.address === null && entry.interfaces === null;
    const has = isLookedUp ? `"${host.name}" resolves to ${address}` : `${host.name} has the address ${address}`;
    const beside =
      beyond === undefined ? `its segment is ${segment.address}` : `${beyond.name} has ${ringAddress(beyond)}`;
    const way = isLookedUp
      ? 'write its address behind the name (many systems resolve the host name to 127.0.1.1, in /etc/hosts)'
      : 'give it an address of its network';
    return [warning(entry.name, `${has}, which is loopback, and ${beside}: they cannot reach each other; ${way}`)];
  });
}

function foreignAddresses(self: Host, at: Word, { interfaces }: AddressContext): readonly ConfigProblem[] {
  const addresses = new Set([ringAddress(self), ...self.interfaces.map(({ address }) => address)]);
  const own = interfaces.map(({ address }) => address).join(', ') || 'none';
  return [...addresses]
    .filter((address) => address !== WILDCARD && !isLocal(address, interfaces))
    .map((address) =>
      warning(
        at,
        `${self.name} has the address ${address}, which this machine does not have (it has ${own}): the daemon does not start here`,
      ),
    );
}

/** One datagram for the segment has to leave through the interface of the daemon, and reach all daemons of the segment. */
function segmentThatFitsNoInterface(self: Host, at: Word, context: AddressContext): readonly ConfigProblem[] {
  const segment = context.segments[self.segment]!;
  const local = interfaceOf(ringAddress(self), context.interfaces);
  const others = segment.hosts.filter(({ node }) => node !== self.node);
  const transport = segmentTransport(segment, context.options);
  if (local === undefined || others.length === 0 || transport !== 'broadcast') return [];
  const network = `${local.address}/${prefixOf(local.netmask)} of ${local.name}`;
  const broadcast = broadcastOf(local);
  if (segment.address !== EVERYBODY && segment.address !== broadcast)
    return [
      warning(
        at,
        `segment ${segment.address} is reached by broadcast, and fits no interface of ${self.name}: broadcasts of ${network} go to ${broadcast}; correct the address, or set Transport = unicast`,
      ),
    ];
  const outside = others.filter((host) => !isInNetwork(ringAddress(host), local)).map(({ name }) => name);
  if (outside.length === 0) return [];
  return [
    warning(
      at,
      `segment ${segment.address} is reached by broadcast, which does not leave ${network}: it does not reach ${outside.join(', ')}; give them a segment of their own, or set Transport = unicast`,
    ),
  ];
}

function longDatagrams(
  self: Host,
  at: Word,
  { interfaces, options, segments }: AddressContext,
): readonly ConfigProblem[] {
  const local = interfaceOf(ringAddress(self), interfaces);
  if (local === undefined || local.mtuBytes === null || local.isInternal || allHosts(segments).length < 2) return [];
  const datagramBytes = options.datagramSize ?? SHORT_DATAGRAM_BYTES;
  const fitting = local.mtuBytes - IP_UDP_BYTES;
  if (datagramBytes <= fitting) return [];
  const what = options.datagramSize === null ? `datagrams of ${datagramBytes} bytes` : `DatagramSize ${datagramBytes}`;
  return [
    warning(
      at,
      `${what} and headers are more than the MTU of ${local.name}, ${local.mtuBytes}: IP fragments each, and losing one fragment loses all; DatagramSize = ${fitting} fits`,
    ),
  ];
}

const warning = ({ line, column, lengthChars }: Word, message: string): ConfigProblem => ({
  line,
  column,
  lengthChars,
  message,
});

const number = (address: string): number => ipv4ToNumber(address) ?? 0;

const isInNetwork = (address: string, { address: own, netmask }: LocalInterface): boolean =>
  ((number(address) ^ number(own)) & number(netmask)) === 0;

const isLocal = (address: string, interfaces: readonly LocalInterface[]): boolean =>
  interfaceOf(address, interfaces) !== undefined;

const interfaceOf = (address: string, interfaces: readonly LocalInterface[]): LocalInterface | undefined =>
  interfaces.find((local) => local.address === address) ??
  interfaces.find((local) => local.isInternal && isInNetwork(address, local));

const broadcastOf = ({ address, netmask }: LocalInterface): Ipv4Address =>
  ipv4FromNumber((number(address) | ~number(netmask)) >>> 0);

function prefixOf(netmask: string): number {
  let bits = 0;
  for (let mask = number(netmask); mask !== 0; mask = (mask << 1) >>> 0) bits++;
  return bits;
}
