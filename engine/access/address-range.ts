/** IP addresses, of both families, and ranges of them: `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`. */
import { ipv4ToNumber } from '../config/ipv4.ts';

/** 16 bits each: two of IPv4, eight of IPv6. */
export type AddressGroups = readonly number[];

export interface AddressRange {
  /** Without bits behind the prefix. */
  readonly network: AddressGroups;
  readonly prefixBits: number;
}

const GROUP_BITS = 16;
const IPV6_GROUPS = 8;
/** Of an IPv4 address in IPv6: `::ffff:a.b.c.d`. */
const MAPPED: AddressGroups = [0, 0, 0, 0, 0, 0xffff];

/**
 * An IPv4 address written as IPv6 (`::ffff:10.0.0.1`, as a socket of both families gives it) is the IPv4 address. A zone (`%eth0`) is
 * left out. Null when `text` is no address.
 */
export function parseAddress(text: string): AddressGroups | null {
  const ipv4 = ipv4ToNumber(text);
  if (ipv4 !== null) return [ipv4 >>> GROUP_BITS, ipv4 & 0xffff];
  const ipv6 = parseIpv6(text.replace(/%[^%/]+$/, ''));
  if (ipv6 === null) return null;
  return MAPPED.every((group, i) => ipv6[i] === group) ? ipv6.slice(MAPPED.length) : ipv6;
}

/** At most one row of zeros is left out; the last two groups may be written as IPv4. */
function parseIpv6(text: string): AddressGroups | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [front, back] = halves.map((half, i) => groupsOf(half, i === halves.length - 1));
  if (front === null || front === undefined || back === null) return null;
  if (back === undefined) return front.length === IPV6_GROUPS ? front : null;
  const missing = IPV6_GROUPS - front.length - back.length;
  return missing < 1 ? null : [...front, ...Array.from({ length: missing }, () => 0), ...back];
}

function groupsOf(half: string, isLast: boolean): AddressGroups | null {
  if (half === '') return [];
  const words = half.split(':');
  const groups: number[] = [];
  for (const [i, word] of words.entries()) {
    const ipv4 = isLast && i === words.length - 1 ? ipv4ToNumber(word) : null;
    if (ipv4 !== null) groups.push(ipv4 >>> GROUP_BITS, ipv4 & 0xffff);
    else if (/^[0-9a-fA-F]{1,4}$/.test(word)) groups.push(Number.parseInt(word, 16));
    else return null;
  }
  return groups;
}

const RANGE = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/;

/** What is wrong with a range: `wrong` as it is, or `meant`, the range that has no bits behind its prefix. */
export type RangeProblem = { readonly wrong: 'address' } | { readonly wrong: 'prefix'; readonly maxBits: number };

/** Bits behind the prefix are kept: `withoutHostBits` takes them away. */
export function parseRange(text: string): AddressRange | RangeProblem {
  const [, address = '', prefix] = RANGE.exec(text) ?? [];
  const network = parseAddress(address);
  if (network === null) return { wrong: 'address' };
  const maxBits = network.length * GROUP_BITS;
  // The prefix of `::ffff:10.0.0.0/104` counts the bits of IPv6, the address those of IPv4.
  const written = address.includes(':') ? IPV6_GROUPS * GROUP_BITS : maxBits;
  const prefixBits = prefix === undefined ? maxBits : Number(prefix) - (written - maxBits);
  if (prefixBits < 0 || prefixBits > maxBits) return { wrong: 'prefix', maxBits: written };
  return { network, prefixBits };
}

export const withoutHostBits = ({ network, prefixBits }: AddressRange): AddressRange => ({
  network: network.map((group, i) => group & groupMask(prefixBits - i * GROUP_BITS)),
  prefixBits,
});

export function contains({ network, prefixBits }: AddressRange, address: AddressGroups): boolean {
  if (network.length !== address.length) return false;
  return network.every((group, i) => (address[i]! & groupMask(prefixBits - i * GROUP_BITS)) === group);
}

/** @param bits of the prefix from this group on; may be negative, or more than a group has */
const groupMask = (bits: number): number =>
  bits <= 0 ? 0 : bits >= GROUP_BITS ? 0xffff : (0xffff << (GROUP_BITS - bits)) & 0xffff;

export function rangeText({ network, prefixBits }: AddressRange): string {
  const text =
    network.length === IPV6_GROUPS
      ? network.map((group) => group.toString(16)).join(':')
      : network.flatMap((group) => [group >>> 8, group & 255]).join('.');
  return `${text}/${prefixBits}`;
}
