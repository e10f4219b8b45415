import { describe, expect, it } from 'vitest';
import { EMPTY_ACCESS_LIST, isAddressAllowed, parseAccessIp } from '../../engine/config/access-ip.ts';

const allows = (text: string, address: string | null): boolean => isAddressAllowed(parseAccessIp(text), address);

describe('spread.access_ip', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '::ffff:10.1.2.3', true],
    ['10.1.2.3', '::1', false],
    ['10.1.2.0/24', '10.1.2.255', true],
    ['10.1.2.0/24', '10.1.3.0', false],
    ['10.1.2.128/25', '10.1.2.127', false],
    ['192.0.2.7/32', '192.0.2.7', true],
    ['192.0.0.0/2', '255.255.255.255', true],
    ['192.0.0.0/2', '127.0.0.1', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', null, true],
    ['local', '127.99.1.2', true],
    ['localhost is fine too', '127.0.0.1', true],
    ['local', '128.0.0.1', false],
    ['local', null, false],
    ['unix', null, true],
    ['unix', '127.0.0.1', false],
    ['  10.0.0.0/8\t# ours', '10.200.0.1', true],
    ['# 10.0.0.1', '10.0.0.1', false],
    ['', '127.0.0.1', false],
  ])('%j lets %s in: %s', (text, address, expected) => {
    const list = parseAccessIp(text);
    expect(list.problems).toEqual([]);
    expect(isAddressAllowed(list, address)).toBe(expected);
  });

  it('continues after blank and bad lines', () => {
    const text = '10.0.0.1\r\n\r\nnonsense\n10.0.0\n\n10.0.0.2\n10.0.0.0/33\n1.2.3.256\n10.0.0.3\n';
    const { rules, problems } = parseAccessIp(text);
    expect(rules.map((rule) => rule.line)).toEqual([1, 6, 9]);
    expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '3: line of the access file is "nonsense"; it must be unix, local, a.b.c.d, a.b.c.d/prefix or a # comment',
      '4: line of the access file is "10.0.0"; it must be unix, local, a.b.c.d, a.b.c.d/prefix or a # comment',
      '7: prefix is 33; it must be an integer from 0 to 32',
      '8: line of the access file is "1.2.3.256"; it must be unix, local, a.b.c.d, a.b.c.d/prefix or a # comment',
    ]);
  });

  it.each(['10.1.2.3/24', '10.0.0.0/0'])('%s never matches, as in the original, and is reported', (line) => {
    const list = parseAccessIp(`local\n${line}`);
    for (const address of ['10.1.2.3', '10.1.2.0', '10.0.0.0', '0.0.0.0'])
      expect(isAddressAllowed(list, address)).toBe(false);
    expect(list.problems).toMatchObject([{ line: 2, message: expect.stringContaining('matches no address; is') }]);
  });

  it('lets nobody in without a file', () => {
    expect(isAddressAllowed(EMPTY_ACCESS_LIST, '127.0.0.1')).toBe(false);
    expect(isAddressAllowed(EMPTY_ACCESS_LIST, null)).toBe(false);
  });

  it('lets an address in that matches any rule', () => {
    const text = 'unix\n10.0.0.0/8\n192.168.0.0/16';
    expect(['192.168.4.4', '10.0.0.1', null, '172.16.0.1'].map((address) => allows(text, address))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
