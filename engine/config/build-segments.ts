/** Segments of a file -> segments of a configuration, with the rules of section 9.3. */
import { plural } from '../plural.ts';
import { nodeIndex } from '../wire/ids.ts';
import { DEFAULT_PORT } from '../wire/limits.ts';
import type { Findings } from './config-error.ts';
import {
  allHosts,
  type Host,
  type HostInterface,
  MAX_HOSTS,
  MAX_HOSTS_PER_SEGMENT,
  MAX_INTERFACES_PER_HOST,
  MAX_SEGMENTS,
  type Segment,
} from './daemon-configuration.ts';
import { DAEMON_NAME_LIMIT, isPortableDaemonName, isUsableDaemonName } from './daemon-name.ts';
import { type Ipv4Address, isLoopback, parseIpv4 } from './ipv4.ts';
import type { ConfigFile } from './parse-config.ts';
import type { HostEntry, InterfaceEntry, RouteMatrixItem, SegmentItem, Word } from './syntax-tree.ts';

/** The token uses the port above a segment's. */
const MAX_SEGMENT_PORT = 65_534;
const MAX_ROUTE_COST = 100;

/** IPv4 address of a daemon that the file gives by name only; null: not resolved. */
export type AddressLookup = (hostName: string) => string | null;

/** Names that have to be resolved before `buildSegments` can be called. */
export function namesToResolve(file: ConfigFile): readonly string[] {
  const entries = file.items.flatMap((item) => (item.kind === 'segment' ? item.hosts : []));
  return [...new Set(entries.filter((entry) => entry.address === null).map((entry) => entry.name.text))];
}

/** Incomplete when `findings` has got a problem from here. */
export function buildSegments(file: ConfigFile, addressOf: AddressLookup, findings: Findings): readonly Segment[] {
  const items = file.items.filter((item) => item.kind === 'segment');
  if (items.every((item) => item.hosts.length === 0)) {
    findings.problem(null, 'the file configures no daemon: it needs a Spread_Segment with at least one entry');
  }
  const segments: Segment[] = [];
  let hostCount = 0;
  for (const item of items) {
    const segment = buildSegment(item, segments.length, hostCount, addressOf, findings);
    hostCount += item.hosts.length;
    segments.push(segment);
  }
  checkCounts(items, findings);
  checkUniqueNames(items, findings);
  checkLoopback(items, segments, findings);
  warnOfSharedPorts(items, segments, findings);
  for (const item of file.items) if (item.kind === 'routeMatrix') checkRouteMatrix(item, items.length, findings);
  return segments;
}

function buildSegment(
  item: SegmentItem,
  segment: number,
  firstNode: number,
  addressOf: AddressLookup,
  findings: Findings,
): Segment {
  const { address, port } = readAddress(item.address, findings);
  if (port !== null && port > MAX_SEGMENT_PORT) {
    const limit = `from 1 to ${MAX_SEGMENT_PORT}, because tokens use the port above it, or 0 for ${DEFAULT_PORT}`;
    findings.wrongValue(item.address, 'port of the segment', port, limit);
  }
  const segmentPort = port ?? DEFAULT_PORT;
  for (const other of item.otherAddresses) {
    readAddress(other, findings);
    findings.warn(other, `further address ${other.text} of the segment has no effect: only the first one is used`);
  }
  const hosts = item.hosts.map(
    (entry, i): Host => ({
      node: nodeIndex(firstNode + i),
      name: entry.name.text,
      segment,
      ...hostAddresses(entry, segmentPort, addressOf, findings),
    }),
  );
  return { address, port: segmentPort, hosts };
}

function hostAddresses(
  entry: HostEntry,
  segmentPort: number,
  addressOf: AddressLookup,
  findings: Findings,
): Pick<Host, 'address' | 'interfaces'> {
  const { name } = entry;
  if (!isUsableDaemonName(name.text)) {
    findings.wrongValue(name, 'daemon name', name.text, DAEMON_NAME_LIMIT);
  } else if (!isPortableDaemonName(name.text)) {
    findings.warn(name, `daemon name "${name.text}" has characters that are illegal in group names elsewhere`);
  }

  if (entry.virtualId !== null) checkVirtualId(entry.virtualId, name.text, findings);
  const address =
    entry.address === null
      ? resolvedAddress(name, addressOf, findings)
      : readHostAddress(entry.address, segmentPort, findings);
  if (entry.interfaces === null) {
    const uses = { clients: true, daemons: true, monitor: true };
    return { address, interfaces: [{ address, uses, implicit: true }] };
  }

  const interfaces = entry.interfaces.map((iface) => buildInterface(iface, segmentPort, findings));
  if (interfaces.length > MAX_INTERFACES_PER_HOST) {
    const limit = `at most ${MAX_INTERFACES_PER_HOST}`;
    findings.wrongValue(name, `number of interfaces of ${name.text}`, interfaces.length, limit);
  }
  if (!interfaces.some((iface) => iface.uses.clients)) {
    findings.warn(name, `${name.text} has no interface for clients: they can use the Unix socket only`);
  }
  if (!interfaces.some((iface) => iface.uses.daemons)) {
    findings.warn(name, `${name.text} has no interface for daemons: it cannot reach the others`);
  }
  return { address, interfaces };
}

const MAX_VIRTUAL_ID = 2 ** 31 - 1;

function checkVirtualId(id: Word, hostName: string, findings: Findings): void {
  const value = Number(id.text);
  if (!(value >= 1 && value <= MAX_VIRTUAL_ID))
    findings.wrongValue(id, `VirtualID of ${hostName}`, value, `an integer from 1 to ${MAX_VIRTUAL_ID}`);
  else
    findings.warn(id, `VirtualID of ${hostName} has no effect: addresses identify daemons`, {
      field: 'VirtualID',
    });
}

function buildInterface(entry: InterfaceEntry, segmentPort: number, findings: Findings): HostInterface {
  const letters = entry.uses.map((use) => use.text);
  const used = (letter: string): boolean => letters.length === 0 || letters.includes(letter);
  return {
    address: readHostAddress(entry.address, segmentPort, findings),
    uses: { clients: used('C'), daemons: used('D'), monitor: used('M') },
    implicit: false,
  };
}

/** Stands in for an address that could not be read; a problem has been reported then. */
const UNKNOWN_ADDRESS = '0.0.0.0' as Ipv4Address;

/** @returns as port null for none and for 0, which means none in the original */
function readAddress(word: Word, findings: Findings): { address: Ipv4Address; port: number | null } {
  if (isIpv6(word.text)) {
    findings.wrongValue(word, 'address', word.text, 'an IPv4 address: daemons do not speak IPv6 yet');
    return { address: UNKNOWN_ADDRESS, port: null };
  }
  const [, host, port] = /^([^:]*)(?::(\d{1,5}))?$/.exec(word.text) ?? [];
  const address = parseIpv4(host ?? '');
  if (address === null) findings.wrongValue(word, 'address', word.text, 'a.b.c.d or a.b.c.d:port with 0 to 255 each');
  return { address: address ?? UNKNOWN_ADDRESS, port: Number(port ?? 0) === 0 ? null : Number(port) };
}

/** As the grammar recognises it. */
const isIpv6 = (text: string): boolean => text.startsWith('[') || text.split(':').length > 2;

function readHostAddress(word: Word, segmentPort: number, findings: Findings): Ipv4Address {
  const { address, port } = readAddress(word, findings);
  if (port !== null && port !== segmentPort) {
    findings.warn(word, `port ${port} is ignored: every daemon uses the port of its segment, ${segmentPort}`);
  }
  return address;
}

function resolvedAddress(name: Word, addressOf: AddressLookup, findings: Findings): Ipv4Address {
  const address = parseIpv4(addressOf(name.text) ?? '');
  if (address === null) {
    findings.problem(name, `"${name.text}" has no IPv4 address that could be looked up: write one behind the name`);
  }
  return address ?? UNKNOWN_ADDRESS;
}

function checkCounts(items: readonly SegmentItem[], findings: Findings): void {
  const tooMany = items[MAX_SEGMENTS];
  if (tooMany !== undefined) {
    findings.wrongValue(tooMany.address, 'number of segments', items.length, `at most ${MAX_SEGMENTS}`);
  }
  for (const { hosts } of items) {
    const first = hosts[MAX_HOSTS_PER_SEGMENT];
    const limit = `at most ${MAX_HOSTS_PER_SEGMENT}`;
    if (first !== undefined) findings.wrongValue(first.name, 'number of daemons in the segment', hosts.length, limit);
  }
  const entries = items.flatMap((item) => item.hosts);
  const beyond = entries[MAX_HOSTS];
  if (beyond !== undefined && items.length > 1) {
    findings.wrongValue(beyond.name, 'number of daemons', entries.length, `at most ${MAX_HOSTS}`);
  }
}

function checkUniqueNames(items: readonly SegmentItem[], findings: Findings): void {
  const first = new Map<string, Word>();
  for (const { name } of items.flatMap((item) => item.hosts)) {
    const earlier = first.get(name.text);
    if (earlier === undefined) {
      first.set(name.text, name);
      continue;
    }
    findings.problem(name, `daemon name "${name.text}" is used twice: first on line ${earlier.line}`, {
      field: 'daemon name',
      value: name.text,
      limit: 'unique in the file',
    });
  }
}

function checkLoopback(items: readonly SegmentItem[], segments: readonly Segment[], findings: Findings): void {
  const odd = segments.findIndex(({ address }) => isLoopback(address) !== isLoopback(segments[0]!.address));
  if (odd < 0) return;
  findings.problem(
    items[odd]!.address,
    `segments on 127.x cannot be mixed with others: ${segments[odd]!.address} after ${segments[0]!.address}`,
    { field: 'segment address', value: segments[odd]!.address, limit: 'all segments on 127.x, or none' },
  );
}

/** Daemons on one machine need ports at least two apart; the file alone cannot tell that they run at the same time. */
function warnOfSharedPorts(items: readonly SegmentItem[], segments: readonly Segment[], findings: Findings): void {
  const entries = items.flatMap((item) => item.hosts);
  if (entries.length > MAX_HOSTS) return; // refused already
  const hosts = allHosts(segments);
  const portsByAddress = new Map<Ipv4Address, { name: string; port: number }[]>();
  for (const host of hosts) {
    const { port } = segments[host.segment]!;
    const others = portsByAddress.get(host.address) ?? [];
    const close = others.find((other) => Math.abs(other.port - port) < 2);
    if (close !== undefined && host.address !== UNKNOWN_ADDRESS) {
      findings.warn(
        entries[host.node]!.name,
        `${host.name} and ${close.name} share the address ${host.address} with ports less than 2 apart ` +
          `(${port}, ${close.port}): they cannot run at the same time`,
      );
    }
    portsByAddress.set(host.address, [...others, { name: host.name, port }]);
  }
}

/** Accepted for the sake of old files: only a link protocol that skein lacks would use it. */
const rowsText = (rows: number, segments: number): string =>
  `RouteMatrix has ${rows} ${plural(rows, 'row')} for ${segments} ${plural(segments, 'segment')}`;

function checkRouteMatrix(item: RouteMatrixItem, segmentCount: number, findings: Findings): void {
  findings.warn(item.keyword, 'RouteMatrix has no effect: the network routes datagrams', {
    field: 'RouteMatrix',
  });
  if (item.rows.length !== segmentCount) {
    findings.warn(item.keyword, rowsText(item.rows.length, segmentCount));
  }
  for (const row of item.rows) {
    if (row.length !== segmentCount) {
      const limit = `one for each segment, ${segmentCount}`;
      findings.wrongValue(row[0]!, 'number of costs in a row of RouteMatrix', row.length, limit);
    }
    for (const cost of row) {
      const value = Number(cost.text);
      if (!(value >= 0 && value <= MAX_ROUTE_COST)) {
        findings.wrongValue(cost, 'cost in RouteMatrix', value, `an integer from 0 to ${MAX_ROUTE_COST}`);
      }
    }
  }
}
