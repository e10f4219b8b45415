/** Limits of SCRAM-SHA-256, the same for daemons, clients and the file of credentials (client-protocol.md, 1.6). */

export const SCRAM_METHOD = 'SCRAM-SHA-256';

/** A message has its length in one byte. */
export const MAX_SCRAM_MESSAGE_LENGTH = 255;
/** Bytes of UTF-8; as of the method PWORD. */
export const MAX_SCRAM_USER_LENGTH = 31;
/** Bytes of UTF-8, after normalisation. */
export const MAX_SCRAM_PASSWORD_LENGTH = 1024;
/** Characters of the part of a nonce that one side adds. */
export const MAX_SCRAM_NONCE_LENGTH = 64;
/** Of SHA-256. */
export const SCRAM_KEY_BYTES = 32;

export const SCRAM_SALT_BYTES = { min: 8, max: 48 } as const;
/** Fewer protect nothing (RFC 7677, section 4); more would let a daemon, or who poses as one, keep its clients' processors busy. */
export const SCRAM_ITERATIONS = { min: 4096, max: 1_000_000 } as const;

export const isScramIterations = (iterations: number): boolean =>
  Number.isInteger(iterations) && iterations >= SCRAM_ITERATIONS.min && iterations <= SCRAM_ITERATIONS.max;
