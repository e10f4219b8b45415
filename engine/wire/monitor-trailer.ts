/**
 * What makes a monitor's dangerous command, and the answer to it, trustworthy (layout/command-trailer.ts; client-protocol.md, 10.3). The
 * trailer follows the body and is not part of data_len, so the original, which wants the datagram to end there, does not take such a
 * command.
 */
import {
  COMMAND_TRAILER_ATTEMPT_OFFSET,
  COMMAND_TRAILER_KEY_ID_OFFSET,
  COMMAND_TRAILER_LENGTH,
  COMMAND_TRAILER_MAC_OFFSET,
  COMMAND_TRAILER_RESERVED_OFFSET,
  COMMAND_TRAILER_TICKET_OFFSET,
} from './layout/command-trailer.ts';
import { readU48, writeU48 } from './ring-bytes.ts';

export const TICKET_LENGTH = COMMAND_TRAILER_MAC_OFFSET - COMMAND_TRAILER_TICKET_OFFSET;
export const MAC_LENGTH = COMMAND_TRAILER_LENGTH - COMMAND_TRAILER_MAC_OFFSET;

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
  const sealed = new Uint8Array(datagram.length + COMMAND_TRAILER_LENGTH);
  sealed.set(datagram);
  sealed[datagram.length + COMMAND_TRAILER_KEY_ID_OFFSET] = keyId;
  writeU48(sealed, datagram.length + COMMAND_TRAILER_ATTEMPT_OFFSET, attempt);
  sealed.set(ticket, datagram.length + COMMAND_TRAILER_TICKET_OFFSET);
  const macAt = datagram.length + COMMAND_TRAILER_MAC_OFFSET;
  return { sealed, covered: sealed.subarray(0, macAt), macPlace: sealed.subarray(macAt) };
}

/** @returns null when the datagram is not `length` bytes and a trailer */
export function splitTrailer(datagram: Uint8Array, length: number): SealedParts | null {
  if (datagram.length !== length + COMMAND_TRAILER_LENGTH || datagram[length + COMMAND_TRAILER_RESERVED_OFFSET] !== 0)
    return null;
  return {
    keyId: datagram[length + COMMAND_TRAILER_KEY_ID_OFFSET]!,
    attempt: readU48(datagram, length + COMMAND_TRAILER_ATTEMPT_OFFSET),
    ticket: datagram.slice(length + COMMAND_TRAILER_TICKET_OFFSET, length + COMMAND_TRAILER_MAC_OFFSET),
    covered: datagram.subarray(0, length + COMMAND_TRAILER_MAC_OFFSET),
    mac: datagram.subarray(length + COMMAND_TRAILER_MAC_OFFSET),
  };
}
