/**
 * What makes a monitor's dangerous command, and the answer to it, trustworthy. The trailer follows the body and is not part of
 * data_len, so the original, which wants the datagram to end there, does not take such a command:
 *
 *     off size field
 *      0   1   id of the key in the cluster's key file
 *      1   1   0
 *      2   6   number of the attempt, little-endian, chosen by the monitor; an answer repeats it
 *      8  16   of a command: the ticket that the daemon gave for it, or zeros to ask for one; of an answer: a ticket, or zeros
 *     24  16   HMAC-SHA256 of everything before, cut to 16 bytes
 */
import { readU48, writeU48 } from './ring-bytes.ts';

export const TRAILER_LENGTH = 40;
export const TICKET_LENGTH = 16;
export const MAC_LENGTH = 16;
const AT_ATTEMPT = 2;
const AT_TICKET = 8;
const AT_MAC = 24;

export const NO_TICKET: Uint8Array = new Uint8Array(TICKET_LENGTH);

/** What the MAC covers, and the MAC as it came. */
export interface SealedParts {
  readonly keyId: number;
  readonly attempt: number;
  /** A copy. */
  readonly ticket: Uint8Array;
  /** Header, body, and the trailer up to the MAC. */
  readonly covered: Uint8Array;
  readonly mac: Uint8Array;
}

/** `datagram` with a trailer whose MAC is still zero; `macPlace` is where it goes. */
export function appendTrailer(
  datagram: Uint8Array,
  keyId: number,
  attempt: number,
  ticket: Uint8Array,
): { readonly sealed: Uint8Array; readonly covered: Uint8Array; readonly macPlace: Uint8Array } {
  const sealed = new Uint8Array(datagram.length + TRAILER_LENGTH);
  sealed.set(datagram);
  sealed[datagram.length] = keyId;
  writeU48(sealed, datagram.length + AT_ATTEMPT, attempt);
  sealed.set(ticket, datagram.length + AT_TICKET);
  const macAt = datagram.length + AT_MAC;
  return { sealed, covered: sealed.subarray(0, macAt), macPlace: sealed.subarray(macAt) };
}

/** @returns null when the datagram is not `length` bytes and a trailer */
export function splitTrailer(datagram: Uint8Array, length: number): SealedParts | null {
  if (datagram.length !== length + TRAILER_LENGTH || datagram[length + 1] !== 0) return null;
  return {
    keyId: datagram[length]!,
    attempt: readU48(datagram, length + AT_ATTEMPT),
    ticket: datagram.slice(length + AT_TICKET, length + AT_MAC),
    covered: datagram.subarray(0, length + AT_MAC),
    mac: datagram.subarray(length + AT_MAC),
  };
}
