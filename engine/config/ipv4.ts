/** IPv4 addresses as text and as numbers. The protocol has no other kind. */
declare const ipv4: unique symbol;

/** Dotted decimal in its one canonical form (no leading zeros), so equal addresses are equal strings. */
export type Ipv4Address = string & { readonly [ipv4]: true };

const DOTTED = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** @returns the address as an unsigned 32-bit number, or null when `text` is not `a.b.c.d` with 0…255 each */
export function ipv4ToNumber(text: string): number | null {
  const match = DOTTED.exec(text);
  if (match === null) return null;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i]);
    if (octet > 255) return null;
    value = value * 256 + octet;
  }
  return value;
}

export const ipv4FromNumber = (value: number): Ipv4Address =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Ipv4Address;

/** Canonical form of an address, or null when it is none. Leading zeros are decimal, as in the original. */
export function parseIpv4(text: string): Ipv4Address | null {
  const value = ipv4ToNumber(text);
  return value === null ? null : ipv4FromNumber(value);
}

const firstOctet = (address: Ipv4Address): number => Number.parseInt(address, 10);

/** 127.0.0.0/8. */
export const isLoopback = (address: Ipv4Address): boolean => firstOctet(address) === 127;

/** 224.0.0.0/4. */
export const isMulticast = (address: Ipv4Address): boolean => firstOctet(address) >> 4 === 14;

/** The upper 16 bits; a configuration is a LAN when they are equal for all hosts. */
export const network16 = (address: Ipv4Address): string => address.split('.', 2).join('.');
