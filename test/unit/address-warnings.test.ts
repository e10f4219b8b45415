/** Well-formed addresses that cannot work give a warning with their place in the file, from conf check and at the start. */
import { describe, expect, it } from 'vitest';
import { type CheckedMachine, resolveConfiguration, resolveDaemonOptions } from '../../daemon/options-resolve.ts';
import type { DaemonOptions } from '../../daemon/options-schema.ts';
import type { LocalInterface } from '../../engine/config/address-warnings.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';

const LO: LocalInterface = {
  name: 'lo',
  address: '127.0.0.1',
  netmask: '255.0.0.0',
  isInternal: true,
  mtuBytes: 65_536,
};
const ETH: LocalInterface = {
  name: 'eth0',
  address: '192.168.1.10',
  netmask: '255.255.255.0',
  isInternal: false,
  mtuBytes: 1500,
};

interface Machine {
  readonly interfaces?: readonly LocalInterface[];
  readonly hostName?: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly options?: DaemonOptions;
}

function check(
  text: string,
  { interfaces = [LO, ETH], hostName = 'elsewhere', names = {}, options = {} }: Machine = {},
) {
  const file = parseConfig(text, 'spread.conf');
  const machine: CheckedMachine = { interfaces, hostName };
  const { warnings } = resolveConfiguration(options, { file, addressOf: (name) => names[name] ?? null, machine });
  return warnings.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const segment = (hosts: string, address = '192.168.1.255:4803', more = ''): string =>
  `Spread_Segment ${address} {\n${hosts}\n}\n${more}`;
const GOOD = segment('  paris 192.168.1.10\n  berlin 192.168.1.11');

it('do not appear for addresses that work', () => {
  expect(check(GOOD)).toEqual([]);
  expect(check(GOOD, { interfaces: [LO] })).toEqual([]);
  expect(check(segment('  a 127.0.0.1\n  b 127.0.0.2\n  c 127.4.5.6', '127.0.0.255:4803'))).toEqual([]);
  expect(check(segment('  paris 192.168.1.10\n  berlin 192.168.1.11', '239.1.2.3:4803'))).toEqual([]);
  expect(check(segment('  only 127.0.1.1'))).toEqual([]);
  expect(
    check(segment('  paris 192.168.1.10\n  berlin 10.0.0.1', '192.168.1.255:4803', 'Transport = unicast\n')),
  ).toEqual([]);
});

describe('loopback among others', () => {
  it('gives a warning at the name that resolves to it, as on Debian', () => {
    const names = { paris: '127.0.1.1', berlin: '192.168.1.11' };
    expect(check(segment('  paris\n  berlin'), { names })).toEqual([
      '2:3 "paris" resolves to 127.0.1.1, which is loopback, and berlin has 192.168.1.11: they cannot reach each other; write its address behind the name (many systems resolve the host name to 127.0.1.1, in /etc/hosts)',
    ]);
  });

  it('gives a warning for every such daemon, whether written or looked up', () => {
    const names = { paris: '127.0.1.1' };
    const warnings = check(segment('  paris\n  berlin 127.0.0.1\n  rome 10.0.0.1'), { names });
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toMatch(
      /^3:3 berlin has the address 127\.0\.0\.1, which is loopback, and rome has 10\.0\.0\.1/,
    );
  });

  it('gives a warning when all daemons are on loopback and the segment is not', () => {
    const names = { paris: '127.0.1.1', berlin: '127.0.1.1' };
    const warnings = check(segment('  paris\n  berlin'), { names });
    expect(warnings.filter((text) => text.includes('its segment is 192.168.1.255'))).toHaveLength(2);
  });

  it('is judged by the interface for daemons, not by the first address', () => {
    const text = segment('  paris 127.0.0.1 { C 127.0.0.1 D 192.168.1.10 }\n  berlin 192.168.1.11 { D 127.0.0.9 }');
    const warnings = check(text, { interfaces: [LO] }).filter((line) => line.includes('loopback'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^3:3 berlin has the address 127\.0\.0\.9/);
  });
});

describe('an address that no host can have', () => {
  it.each(['224.0.0.1', '239.255.0.1', '255.255.255.255', '0.0.0.0'])('gives a warning: %s', (address) => {
    expect(check(segment(`  paris ${address}\n  berlin 192.168.1.11`))[0]).toMatch(
      new RegExp(`^2:3 paris has the address ${address}, at which no daemon can be reached`),
    );
  });
});

describe('this machine', () => {
  it('without the address of its entry gives a warning that names the host or the option', () => {
    const warned =
      /^3:3 berlin has the address 192\.168\.1\.11, which this machine does not have \(it has 127\.0\.0\.1, 192\.168\.1\.10\)/;
    expect(check(GOOD, { options: { name: 'berlin' } })[0]).toMatch(warned);
    const away = segment('  paris 192.168.1.20\n  berlin 192.168.1.11');
    expect(check(away, { hostName: 'berlin.example.com' })[0]).toMatch(warned);
    expect(check(away)).toEqual([]);
  });

  it('gives the same warning at the start and in the check', () => {
    const file = parseConfig(GOOD, 'spread.conf');
    const interfaces = [LO, ETH];
    const { warnings } = resolveDaemonOptions(
      { name: 'berlin' },
      { file, addressOf: () => null, localAddresses: interfaces.map(({ address }) => address), interfaces },
    );
    expect(warnings.map(({ message }) => message)).toEqual(
      check(GOOD, { options: { name: 'berlin' } }).map((text) => text.replace(/^\S+ /, '')),
    );
    expect(warnings).toHaveLength(1);
  });

  it('refuses a name without an entry', () => {
    expect(() => check(GOOD, { options: { name: 'rome' } })).toThrow(/no daemon is called "rome"/);
  });

  it.each([
    ['192.168.255.255:4803', '255.255.255.0', '192.168.1.255'],
    ['192.168.1.255:4803', '255.255.0.0', '192.168.255.255'],
    ['10.0.0.255:4803', '255.255.255.0', '192.168.1.255'],
  ])('on which segment %s fits no interface (netmask %s) is told the right address', (address, netmask, right) => {
    const interfaces = [LO, { ...ETH, netmask }];
    const [warning] = check(segment('  paris 192.168.1.10\n  berlin 192.168.1.11', address), { interfaces });
    expect(warning).toContain(`fits no interface of paris: broadcasts of 192.168.1.10/`);
    expect(warning).toContain(`of eth0 go to ${right}`);
  });

  it('gets a warning about daemons that its broadcasts do not reach', () => {
    const [warning] = check(segment('  paris 192.168.1.10\n  berlin 192.168.2.11\n  rome 192.168.1.12'));
    expect(warning).toMatch(
      /^2:3 segment 192\.168\.1\.255 .* does not leave 192\.168\.1\.10\/24 of eth0: it does not reach berlin; /,
    );
  });

  it.each([
    ['DatagramSize = 1472\n', 1500, null],
    ['DatagramSize = 1473\n', 1500, 'DatagramSize 1473 and headers are more than the MTU of eth0, 1500'],
    ['DatagramSize = 8900\n', 9000, null],
    ['', 1500, null],
    ['', 1420, 'datagrams of 1400 bytes and headers are more than the MTU of eth0, 1420'],
    ['DatagramSize = 60000\n', null, null],
  ] as const)('with %j and an MTU of %s', (option, mtuBytes, text) => {
    const warnings = check(`${GOOD}${option}`, { interfaces: [LO, { ...ETH, mtuBytes }] });
    if (text === null) expect(warnings).toEqual([]);
    else expect(warnings[0]).toContain(text);
  });
});
