/** Seals and opens the monitor's commands and the answers to them with a key of the cluster (engine/wire/monitor-trailer.ts). */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { appendTrailer, MAC_LENGTH, NO_TICKET, splitTrailer } from '../../engine/wire/monitor-trailer.ts';

/** Commands and ring traffic never share a key, so that nothing made for one means anything in the other. */
const INFO = 'skein monitor command 1';
const KEY_BYTES = 32;

/** `datagram` with its trailer. */
export function sealMonitorDatagram(
  datagram: Uint8Array,
  key: ClusterKey,
  attempt: number,
  ticket: Uint8Array = NO_TICKET,
): Uint8Array {
  const { sealed, covered, macPlace } = appendTrailer(datagram, key.id, attempt, ticket);
  macPlace.set(macOf(key, covered));
  return sealed;
}

export type OpenedSeal =
  | { readonly state: 'sealed'; readonly key: ClusterKey; readonly attempt: number; readonly ticket: Uint8Array }
  | { readonly state: 'unsealed' | 'unknown-key' | 'wrong-seal' };

/** @param length of the datagram without its trailer */
export function openMonitorDatagram(datagram: Uint8Array, length: number, keys: readonly ClusterKey[]): OpenedSeal {
  const parts = splitTrailer(datagram, length);
  if (parts === null) return { state: 'unsealed' };
  const key = keys.find(({ id }) => id === parts.keyId);
  if (key === undefined) return { state: 'unknown-key' };
  if (!timingSafeEqual(parts.mac, macOf(key, parts.covered))) return { state: 'wrong-seal' };
  return { state: 'sealed', key, attempt: parts.attempt, ticket: parts.ticket };
}

function macOf({ key }: ClusterKey, covered: Uint8Array): Uint8Array {
  const derived = new Uint8Array(hkdfSync('sha256', Buffer.from(key, 'base64'), '', INFO, KEY_BYTES));
  return createHmac('sha256', derived).update(covered).digest().subarray(0, MAC_LENGTH);
}
