/** What delivery asks of a client's socket. `net.Socket` is one; the simulator has another. */
export interface ClientSocket {
  /** Ends of a TCP connection; undefined on a Unix socket. */
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Bytes given to `write` that the kernel has not taken; they must not change before `done` is called. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(bytes: Uint8Array, done?: () => void): boolean;
  /** Writes between the two leave as one. */
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  end(): unknown;
  end(bytes: Uint8Array): unknown;
  destroy(): unknown;
  /** When all is written. */
  destroySoon(): unknown;
}
