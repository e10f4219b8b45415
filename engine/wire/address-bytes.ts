/** Addresses of connections, from text to bytes. */

/** 4 bytes of IPv4, or 16 of IPv6, whose zone is left out. @param address as Node gives that of a connection */
export function addressBytes(address: string): readonly number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const [front = '', back] = address.replace(/%.*$/, '').split('::');
  const head = groupBytes(front);
  const tail = back === undefined ? [] : groupBytes(back);
  const zeros = Array.from({ length: Math.max(0, 16 - head.length - tail.length) }, () => 0);
  return [...head, ...zeros, ...tail];
}

/** Of `2001:db8`, or of `ffff:10.0.0.1`. */
const groupBytes = (text: string): readonly number[] =>
  text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (group.includes('.')) return group.split('.').map(Number);
      const value = Number.parseInt(group, 16);
      return [value >>> 8, value & 0xff];
    });
