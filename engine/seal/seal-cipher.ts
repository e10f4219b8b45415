/** The cryptography under the seal. It lives outside the engine, which has no library for it (workers/ring/aead-cipher.ts). */

/** Whose datagrams a key seals. No two incarnations have all three in common. */
export interface SealIdentity {
  readonly node: number;
  readonly incarnation: number;
  readonly salt: Uint8Array;
}

/** `bytes[offset, offset + lengthBytes)` is header and body, the trailer follows, filled in up to the tag. */
export interface SealCipher {
  /** Id of the key that seals. */
  readonly sealingId: number;
  hasKey(keyId: number): boolean;
  /** 32 bytes. @param epoch which of the incarnation's keys */
  incarnationKey(keyId: number, identity: SealIdentity, epoch: number): Uint8Array;
  /** Encrypts the body in place and writes the tag. `counter` is the nonce: never twice with one key. */
  encrypt(key: Uint8Array, counter: number, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  /** @returns false, with `bytes` as they were, when the tag does not fit */
  decrypt(key: Uint8Array, counter: number, bytes: Uint8Array, offset: number, lengthBytes: number): boolean;
  /** Authenticates a GREETING, which is not encrypted: writes its tag. */
  sign(keyId: number, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  verify(keyId: number, bytes: Uint8Array, offset: number, lengthBytes: number): boolean;
}

/** Unpredictable random bytes: of the operating system in a daemon, of the seed in the simulator. */
export type DrawBytes = (lengthBytes: number) => Uint8Array;
