/**
 * Whom a connection is counted with where connections share something: by the address it comes from, so that one machine cannot take
 * what all need. Clients of the Unix socket count as one, and so do the addresses of an IPv6 network of 64 bits, which one machine may
 * have all of.
 */
const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** @param remoteAddress as Node gives it; undefined for a client of the Unix socket */
export function shareKey(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return 'unix';
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!address.includes(':')) return address;
  const [front = '', back] = address.split('::');
  const groupsOf = (text: string): readonly string[] => text.split(':').filter((group) => group !== '');
  const head = groupsOf(front);
  const tail = back === undefined ? [] : groupsOf(back);
  const zeros = Array.from({ length: Math.max(0, GROUPS - head.length - tail.length) }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS).join(':');
}
