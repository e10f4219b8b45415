/**
 * Where connections share something they are counted by the address they come from, so that one machine cannot take what all
 * need. Clients of the Unix socket count as one, and so do the addresses of an IPv6 network of 64 bits, which one machine may
 * have all of.
 */
import { addressBytes } from '../../engine/wire/address-bytes.ts';

const NETWORK_BYTES = 8;
/** IPv4 within IPv6, `::ffff:a.b.c.d`. */
const MAPPED_PREFIX = '0,0,0,0,0,0,0,0,0,0,255,255,';

/** @param remoteAddress as Node gives it; undefined for a client of the Unix socket */
export function shareKey(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return 'unix';
  const bytes = addressBytes(remoteAddress);
  if (bytes.length === 4) return bytes.join('.');
  if (String(bytes).startsWith(MAPPED_PREFIX)) return bytes.slice(-4).join('.');
  const groups: string[] = [];
  for (let i = 0; i < NETWORK_BYTES; i += 2) groups.push((bytes[i]! * 256 + bytes[i + 1]!).toString(16));
  return groups.join(':');
}
