/** What the fields of a seal's trailer mean (layout/seal-trailer.ts; ring-protocol.md, 8.3). */
import { SEAL_TRAILER_COUNTER_OFFSET, SEAL_TRAILER_MARK_OFFSET } from '../wire/layout/seal-trailer.ts';

/** Bytes of an incarnation's salt that name the incarnation in each trailer. */
export const SALT_MARK_LENGTH = SEAL_TRAILER_COUNTER_OFFSET - SEAL_TRAILER_MARK_OFFSET;

/** A datagram that is sent to several daemons is sealed once. */
export const FOR_ANY = 0xffff;

/** Drawn by each incarnation of a daemon. */
export const SALT_LENGTH = 16;

/** The last counter of an incarnation: 48 bits, and the nonce is made of it. */
export const LAST_COUNTER = 2 ** 48 - 1;

/**
 * Datagrams sealed with one key; then the next key of the incarnation is used, on both sides by the counter alone. With datagrams of 64 KB
 * that is 2^36 blocks a key, far below what AES-GCM bears.
 */
const DATAGRAMS_OF_A_KEY = 2 ** 24;

/** Number of the key, in its incarnation, that seals the datagram with this counter. */
export const epochOf = (counter: number): number => Math.floor(counter / DATAGRAMS_OF_A_KEY);

/** Why a sealed datagram is not believed. `open` gives the negative of one of these. */
export const SealRefusal = {
  /** No header and trailer, or not of the form. */
  Short: 1,
  /** A key that the file does not have, or a tag that does not fit: another key, damaged, or forged. */
  WrongKey: 2,
  /** A counter of its incarnation that came before, or that is too old to tell. */
  Replayed: 3,
  /** The incarnation has not proven that it is live. */
  UnknownIncarnation: 4,
  /** Sealed for another daemon, or by this one. */
  Misdirected: 5,
} as const;
export type SealRefusal = (typeof SealRefusal)[keyof typeof SealRefusal];

export const SEAL_REFUSALS = 5;
