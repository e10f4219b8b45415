/** What an authentication method is (client-protocol.md, section 1.6). */

/** The two directions of the handshake, as an authentication method sees them. */
export interface AuthChannel {
  /** Resolves with exactly `lengthBytes` bytes; rejects with CONNECTION_CLOSED when the daemon closes first. */
  read(lengthBytes: number): Promise<Uint8Array>;
  /** Sends `bytes` in one piece; the original daemon does not put pieces together. */
  write(bytes: Uint8Array): void;
}

/** A way to authenticate. The daemon must announce a method of this name. */
export interface AuthMethod {
  /** 1 to 29 bytes without blanks. */
  readonly name: string;
  /** What is said between the choice of methods and the daemon's verdict; nothing when absent. */
  exchange?(channel: AuthChannel): Promise<void>;
}
