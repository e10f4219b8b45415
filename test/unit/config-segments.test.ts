import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AddressLookup, buildSegments, namesToResolve } from '../../engine/config/build-segments.ts';
import { ConfigError, Findings } from '../../engine/config/config-error.ts';
import {
  addressesFor,
  allHosts,
  clientAddresses,
  isWideArea,
  type Segment,
  segmentNumbers,
  segmentTransport,
} from '../../engine/config/daemon-configuration.ts';
import { embeddedSegments } from '../../engine/config/embedded-default.ts';
import { type OwnHostQuery, selectOwnHost } from '../../engine/config/own-host.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/conf/${name}`, import.meta.url), 'utf8');

function build(
  text: string,
  addressOf: AddressLookup = () => null,
): { segments: readonly Segment[]; findings: Findings } {
  const findings = new Findings();
  return { segments: buildSegments(parseConfig(text, 'test.conf'), addressOf, findings), findings };
}

function valid(text: string, addressOf?: AddressLookup): readonly Segment[] {
  const { segments, findings } = build(text, addressOf);
  expect(findings.problems).toEqual([]);
  return segments;
}

const messages = (text: string): string[] => build(text).findings.problems.map((problem) => problem.message);
const warnings = (text: string): string[] => build(text).findings.warnings.map((problem) => problem.message);
const hosts = (count: number, network = '10.0'): string =>
  Array.from({ length: count }, (_, i) => `h${network}-${i} ${network}.${i >> 8}.${i & 255}`).join('\n');

describe('segments of a file', () => {
  it('numbers daemons in the order of the file', () => {
    const segments = valid(fixture('three-sites.conf'));
    expect(segments.map(({ address, port }) => `${address}:${port}`)).toEqual([
      '239.20.7.1:4810',
      '10.31.255.255:4820',
      '10.47.3.255:4830',
    ]);
    expect(allHosts(segments).map(({ node, name, segment }) => `${node} ${name} ${segment}`)).toEqual([
      '0 office-1 0',
      '1 office-2 0',
      '2 gateway-o 0',
      '3 plant-a 1',
      '4 plant-b 1',
      '5 gateway-p 1',
      '6 lab 2',
    ]);
    expect(segmentNumbers(segments)).toEqual([0, 0, 0, 1, 1, 1, 2]);
  });

  it('gives an entry without a block one interface for everything, and the wildcard to its clients', () => {
    const sites = valid(fixture('three-sites.conf'));
    const [host] = allHosts(sites);
    expect(host!.interfaces).toEqual([
      { address: '10.20.7.11', uses: { clients: true, daemons: true, monitor: true }, implicit: true },
    ]);
    expect(clientAddresses(host!, sites)).toEqual(['0.0.0.0']);
  });

  it("listens on loopback only where the file names nothing else, also as localhost unless that port is another daemon's", () => {
    const clients = (text: string): readonly (readonly string[])[] => {
      const segments = valid(text);
      return allHosts(segments).map((host) => clientAddresses(host, segments));
    };
    expect(clients('Spread_Segment 127.0.0.255 { a 127.0.0.1 }')).toEqual([['127.0.0.1']]);
    expect(
      clients('Spread_Segment 127.0.0.255:5000 { a 127.0.0.2 } Spread_Segment 127.0.0.255:5010 { b 127.0.0.3 }'),
    ).toEqual([
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.3', '127.0.0.1'],
    ]);
    expect(clients('Spread_Segment 127.0.0.255 { a 127.0.0.1 b 127.0.0.2 }')).toEqual([['127.0.0.1'], ['127.0.0.2']]);
    expect(clients('Spread_Segment 10.0.0.255 { a 127.0.0.1 b 10.0.0.2 }')).toEqual([['0.0.0.0'], ['0.0.0.0']]);
    expect(clients('Spread_Segment 127.0.0.255 { a 127.0.0.1 b 127.0.0.2 { C 10.0.0.1 D 127.0.0.2 } }')).toEqual([
      ['0.0.0.0'],
      ['10.0.0.1'],
    ]);
  });

  it('gives an entry with a block exactly the interfaces of the block', () => {
    const sites = valid(fixture('three-sites.conf'));
    const all = allHosts(sites);
    const byName = (name: string) => all.find((host) => host.name === name)!;
    expect(clientAddresses(byName('office-2'), sites)).toEqual(['192.0.2.12']);
    expect(addressesFor(byName('office-2'), 'daemons')).toEqual(['10.20.7.12']);
    expect(clientAddresses(byName('plant-b'), sites)).toEqual(['10.31.0.6', '10.31.128.6']);
    expect(addressesFor(byName('plant-b'), 'monitor')).toEqual(['10.31.0.6']);
    expect(clientAddresses(byName('lab'), sites)).toEqual(['127.0.0.1', '10.47.3.9']);
  });

  it('treats port 0 of a segment, host or interface as no port, like the original', () => {
    const text = 'Spread_Segment 1.2.3.4:0 { a 1.1.1.1:0 b 1.1.1.2 { D C 1.1.1.2:0 } }';
    expect(valid(text)[0]!.port).toBe(4803);
    expect(warnings(text)).toEqual([]);
  });

  it('reads entries of Spread 5: without a name, with an id, with semicolons between them', () => {
    const text =
      'Spread_Segment 1.2.3.4 1.2.4.4:4803 { 1.1.1.1 b 1.1.1.2 VirtualID = 7 { D C 1.1.1.2 } ; 1.1.1.3 VirtualID=8 ; d 1.1.1.4 }';
    expect(allHosts(valid(text)).map(({ name, address }) => `${name} ${address}`)).toEqual([
      '1.1.1.1 1.1.1.1',
      'b 1.1.1.2',
      '1.1.1.3 1.1.1.3',
      'd 1.1.1.4',
    ]);
    expect(warnings(text)).toEqual([
      'further address 1.2.4.4:4803 of the segment has no effect: only the first one is used',
      'VirtualID of b has no effect: addresses identify daemons',
      'VirtualID of 1.1.1.3 has no effect: addresses identify daemons',
    ]);
  });

  it('warns that a RouteMatrix has no effect', () => {
    expect(warnings('Spread_Segment 1.2.3.4 { a 1.1.1.1 } RouteMatrix { 0 }')).toEqual([
      'RouteMatrix has no effect: the network routes datagrams',
    ]);
  });

  it('uses port 4803 when the segment has none, and ignores ports of hosts with a warning', () => {
    const text = 'Spread_Segment 127.0.0.255 { d1 127.0.0.1:5000 { C 127.0.0.1:4803 } }';
    expect(valid(text)[0]!.port).toBe(4803);
    expect(warnings(text)[0]).toBe('port 5000 is ignored: every daemon uses the port of its segment, 4803');
  });

  it('reads addresses with leading zeros as decimal', () => {
    expect(valid('Spread_Segment 127.000.000.255 { d1 127.0.0.010 }')[0]!.hosts[0]!.address).toBe('127.0.0.10');
  });

  it('gets the addresses of names from the caller', () => {
    const text = fixture('names-only.conf');
    expect(namesToResolve(parseConfig(text, 'test.conf'))).toEqual(['alpha.example', 'beta.example']);
    const known: Record<string, string> = { 'alpha.example': '10.1.0.1', 'beta.example': '10.1.0.2' };
    expect(allHosts(valid(text, (name) => known[name] ?? null)).map((host) => host.address)).toEqual([
      '10.1.0.1',
      '10.1.0.2',
    ]);
    expect(build(text, () => null).findings.problems).toMatchObject([
      { line: 3, column: 5, message: expect.stringContaining('"alpha.example" has no IPv4 address') },
      { line: 4, column: 5 },
    ]);
  });

  it('accepts a file from Windows and one with all traps of the original lexer', () => {
    expect(allHosts(valid(fixture('windows.conf'))).map((host) => host.name)).toEqual(['pc1', 'pc2']);
    expect(allHosts(valid(fixture('lexer-traps.conf'))).map((host) => host.name)).toEqual(['D', 'on', 'INFO', 'C']);
  });
});

describe('rules of section 9.3', () => {
  it.each([
    ['an address above 255', 'Spread_Segment 1.2.3.256 { a 1.1.1.1 }', 'address is "1.2.3.256"; it must be a.b.c.d'],
    ['an address of three parts', 'Spread_Segment 1.2.3.4 { a 1.1.1 }', 'address is "1.1.1"; it must be a.b.c.d'],
    ['an address without its port', 'Spread_Segment 1.2.3.4: { a 1.1.1.1 }', 'address is "1.2.3.4:"'],
    [
      'an IPv6 segment',
      'Spread_Segment [ff02::1]:4803 { a 1.1.1.1 }',
      'address is "[ff02::1]:4803"; it must be an IPv4 address: daemons do not speak IPv6 yet',
    ],
    [
      'an IPv6 segment without a port',
      'Spread_Segment ff02::1 { a 1.1.1.1 }',
      'address is "ff02::1"; it must be an IPv4',
    ],
    ['an IPv6 daemon', 'Spread_Segment 1.2.3.4 { a fe80::1%eth0 }', 'address is "fe80::1%eth0"; it must be an IPv4'],
    ['an IPv6 daemon without a name', 'Spread_Segment 1.2.3.4 { ::1 }', 'address is "::1"; it must be an IPv4 address'],
    [
      'an IPv6 interface',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 { D 1.1.1.1 C ::1 } }',
      'address is "::1"; it must be an IPv4',
    ],
    [
      'a further IPv6 segment',
      'Spread_Segment 1.2.3.4 ff02::1 { a 1.1.1.1 }',
      'address is "ff02::1"; it must be an IPv4',
    ],
    [
      'VirtualID 0',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 VirtualID = 0 }',
      'VirtualID of a is 0; it must be an integer from 1',
    ],
    ['VirtualID -5', 'Spread_Segment 1.2.3.4 { a 1.1.1.1 VirtualID = -5 }', 'VirtualID of a is -5; it must be'],
    ['port 65535', 'Spread_Segment 1.2.3.4:65535 { a 1.1.1.1 }', 'because tokens use the port above it'],
    ['a port of six digits', 'Spread_Segment 1.2.3.4:100000 { a 1.1.1.1 }', 'address is "1.2.3.4:100000"'],
    [
      'a name of 20 bytes',
      `Spread_Segment 1.2.3.4 { ${'x'.repeat(20)} 1.1.1.1 }`,
      'it must be 1 to 19 printable ASCII',
    ],
    ['an empty name', 'Spread_Segment 1.2.3.4 { "" 1.1.1.1 }', 'daemon name is ""'],
    ['a name with "#"', 'Spread_Segment 1.2.3.4 { "a#b" 1.1.1.1 }', 'daemon name is "a#b"'],
    ['a name that is not ASCII', 'Spread_Segment 1.2.3.4 { zürich 1.1.1.1 }', 'daemon name is "zürich"'],
    [
      'a name used twice',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 }\nSpread_Segment 1.2.3.5 { a 1.1.1.2 }',
      '"a" is used twice: first on line 1',
    ],
    [
      '127.x beside others',
      'Spread_Segment 127.0.0.255 { a 127.0.0.1 } Spread_Segment 10.0.0.255 { b 10.0.0.1 }',
      'segments on 127.x cannot be mixed',
    ],
    ['no segment', 'Window = 5', 'the file configures no daemon'],
    ['only empty segments', 'Spread_Segment 1.2.3.4 {}', 'the file configures no daemon'],
    [
      '21 segments',
      `${'Spread_Segment 1.2.3.4 { }\n'.repeat(20)}Spread_Segment 1.2.3.4 { a 1.1.1.1 }`,
      'number of segments is 21; it must be at most 20',
    ],
    [
      '129 daemons in a segment',
      `Spread_Segment 10.0.255.255 { ${hosts(129)} }`,
      'number of daemons in the segment is 129; it must be at most 128',
    ],
    [
      '129 daemons in two segments',
      `Spread_Segment 10.0.255.255 { ${hosts(65)} } Spread_Segment 10.1.255.255 { ${hosts(64, '10.1')} }`,
      'number of daemons is 129; it must be at most 128',
    ],
    [
      '11 interfaces',
      `Spread_Segment 1.2.3.4 { a 1.1.1.1 { ${'1.1.1.1 '.repeat(11)} } }`,
      'number of interfaces of a is 11; it must be at most 10',
    ],
    [
      'a cost above 100',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 } RouteMatrix { 101 }',
      'cost in RouteMatrix is 101; it must be an integer from 0 to 100',
    ],
    [
      'a row of the wrong length',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 } RouteMatrix { 1 2 }',
      'number of costs in a row of RouteMatrix is 2',
    ],
  ])('refuses %s', (_, text, message) => {
    const found = messages(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it('accepts the limits themselves', () => {
    valid(`Spread_Segment 10.0.255.255 { ${hosts(128)} }`);
    valid(
      `${'Spread_Segment 1.2.3.4 { }\n'.repeat(19)}Spread_Segment 1.2.3.4:65534 { ${'x'.repeat(19)} 1.1.1.1 { ${'1.1.1.1 '.repeat(10)} } }`,
    );
  });

  it('reports every problem of a file with line and column', () => {
    const { findings } = build('Spread_Segment 1.2.3.400 {\n  a 1.1.1.1\n  a 1.1.1.2 { C 1.1.1.2 D 999.1.1.1 }\n}');
    expect(findings.problems.map(({ line, column, value }) => [line, column, value])).toEqual([
      [1, 16, '1.2.3.400'],
      [3, 27, '999.1.1.1'],
      [3, 3, 'a'],
    ]);
  });

  it.each([
    [
      'names that clients elsewhere refuse',
      'Spread_Segment 1.2.3.4 { a!b 1.1.1.1 }',
      'illegal in group names elsewhere',
    ],
    ['no interface for clients', 'Spread_Segment 1.2.3.4 { a 1.1.1.1 { D M 1.1.1.1 } }', 'no interface for clients'],
    ['no interface for daemons', 'Spread_Segment 1.2.3.4 { a 1.1.1.1 { C 1.1.1.1 } }', 'no interface for daemons'],
    [
      'one address and port twice',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 b 1.1.1.1 }',
      'b and a share the address 1.1.1.1',
    ],
    [
      'ports one apart',
      'Spread_Segment 1.2.3.4:10 { a 1.1.1.1 } Spread_Segment 1.2.3.4:11 { b 1.1.1.1 }',
      'less than 2 apart (11, 10)',
    ],
    [
      'a matrix with a row missing',
      'Spread_Segment 1.2.3.4 { a 1.1.1.1 } RouteMatrix { }',
      'RouteMatrix has 0 rows for 1 segment',
    ],
  ])('warns of %s', (_, text, message) => {
    expect(messages(text)).toEqual([]);
    expect(warnings(text)).toContainEqual(expect.stringContaining(message));
  });

  it('does not warn of one address with ports two apart', () => {
    expect(warnings('Spread_Segment 1.2.3.4:10 { a 1.1.1.1 } Spread_Segment 1.2.3.4:12 { b 1.1.1.1 }')).toEqual([]);
  });
});

describe('the network derived from addresses', () => {
  const oneEach = (first: string, second: string): readonly Segment[] =>
    valid(
      `Spread_Segment 10.0.0.255 { a ${first} } Spread_Segment 10.1.0.255 { } Spread_Segment 10.2.0.255 { b ${second} }`,
    );

  it('is a WAN when first hosts differ in their upper 16 bits', () => {
    expect(isWideArea(oneEach('10.0.0.1', '10.0.77.1'))).toBe(false);
    expect(isWideArea(oneEach('10.0.0.1', '10.1.0.1'))).toBe(true);
    expect(isWideArea(valid('Spread_Segment 10.0.0.255 { a 10.0.0.1 b 99.0.0.1 }'))).toBe(false);
  });

  it.each([
    ['127.0.0.255', 'unicast'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'broadcast'],
    ['192.168.1.255', 'broadcast'],
  ])('segment %s is reached by %s', (address, transport) => {
    const [segment] = valid(`Spread_Segment ${address} { a 1.1.1.1 }`);
    expect(segmentTransport(segment!, { transport: null })).toBe(transport);
    expect(segmentTransport(segment!, { transport: 'unicast' })).toBe('unicast');
  });
});

describe('own entry', () => {
  const segments = valid(fixture('three-sites.conf'));
  const select = (query: Partial<OwnHostQuery>): string =>
    selectOwnHost(segments, { name: undefined, localAddresses: [], ...query }, { name: 'x.conf', text: '' }).name;

  it('is the named one, on any machine', () => {
    expect(select({ name: 'plant-b', localAddresses: ['10.20.7.11'] })).toBe('plant-b');
  });

  it('is found by the first local address that any entry or interface has', () => {
    expect(select({ localAddresses: ['8.8.8.8', '10.31.0.5', '10.20.7.11'] })).toBe('plant-a');
    expect(select({ localAddresses: ['192.0.2.12'] })).toBe('office-2');
    expect(select({ localAddresses: ['10.20.7.1'] })).toBe('gateway-o');
  });

  it('must exist', () => {
    expect(() => select({ name: 'plant-c' })).toThrow(
      /^no daemon is called "plant-c" in x\.conf; did you mean "plant-a"\? \(it has office-1, /,
    );
    expect(() => select({ localAddresses: ['8.8.8.8'] })).toThrow(
      /address of this machine \(8\.8\.8\.8\).*plant-a 10\.31\.0\.5/,
    );
    expect(() => select({})).toThrow(ConfigError);
  });

  it('without a file is alone on loopback', () => {
    const segments = embeddedSegments();
    const [segment] = segments;
    expect(segment).toMatchObject({ address: '127.0.0.255', port: 4803 });
    expect(segment!.hosts.map((host) => `${host.name} ${host.address}`)).toEqual(['localhost 127.0.0.1']);
    expect(clientAddresses(segment!.hosts[0]!, segments)).toEqual(['127.0.0.1']);
    expect(embeddedSegments('x', 5000)[0]).toMatchObject({ port: 5000, hosts: [{ name: 'x' }] });
  });
});
