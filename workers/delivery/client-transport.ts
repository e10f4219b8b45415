/**
 * Carries the bytes of one client. The delivery path uses clients through this interface only: TCP and Unix sockets, TLS and WebSockets
 * each have an implementation in `sockets/`, with a listener that accepts their connections; the simulator and tests have others.
 *
 * Bytes given to `write` stay the caller's and must not change until the transport is done with them: they are views of the ordered
 * log. A transport that changes bytes (encryption, framing) may copy them within `write` and be done at once.
 */
import { keepAliveDelayMs, type SocketEnds } from '../../engine/wire/tcp-silence.ts';
import type { ReadBuffer } from './read-buffers.ts';

/** The other end of the connection. */
export interface TransportPeer {
  /** For the log: `127.0.0.1:51234`, or `unix`. */
  readonly label: string;
  /** IP address as Node gives it, for access rules and fair shares; undefined: a client of this machine without one. */
  readonly address: string | undefined;
  /** Common name of the certificate that the client has proven to hold; absent: none was asked for, or given. */
  readonly certificate?: string;
  /** Its bytes are encrypted on the way. */
  readonly isEncrypted?: true;
  /** A page in a browser, or what speaks like one. */
  readonly isWeb?: true;
}

/** Takes what a transport brings; one for each connection. */
export interface TransportReceiver {
  /**
   * Bytes came: the first `lengthBytes` of `chunk`, which is lent for the call.
   * @returns whether to read on; if not, nothing more comes until `resume`
   */
  received(chunk: ReadBuffer, lengthBytes: number): boolean;
  /** The client has sent its last byte. It may still read. */
  inputEnded(): void;
  /** The connection is broken; `closed` follows once the receiver has destroyed it. @param isSilent the peer's machine does not answer */
  failed(isSilent: boolean): void;
  /** The client broke the rules of the transport, and the transport has told it; `closed` follows. @param reason for the log */
  violated(reason: string): void;
  /** The connection is gone, and with it every use of memory that was given to `write`. Comes once, as the last call. */
  closed(): void;
}

export interface ClientTransport {
  readonly peer: TransportPeer;
  /** Bytes given to `write` that the transport is not done with. 0 after a `write` whose bytes may change at once. */
  readonly pendingBytes: number;
  /** Of `pendingBytes`, those that the kernel has not taken, as far as that is known. */
  readonly unsentBytes: number;
  readonly isDestroyed: boolean;
  /** Both ends of the TCP connection beneath, by which the kernel's tables name it; without addresses where there is none. */
  readonly tcpEnds: SocketEnds;
  /** Sets the receiver of the connection's bytes and its end. Called once, before anything is read. */
  attach(receiver: TransportReceiver): void;
  /** From the next read but one on, reads go into the long buffer. A connection begins with short ones. */
  readLong(): void;
  pause(): void;
  resume(): void;
  /** @param done called when the transport is done with the bytes, later than this call; never after `closed` */
  write(bytes: Uint8Array, done?: () => void): void;
  /** Writes between the two leave as one. */
  cork(): void;
  uncork(): void;
  /** The client reads its end behind all that was written, and `bytes` before it. */
  end(bytes?: Uint8Array): void;
  /** Drops what is not sent. */
  destroy(): void;
  /** When all is written. */
  destroySoon(): void;
  /** @param idleMs after so long without a byte its peer is asked for a sign of life; of no effect where there is no TCP */
  keepAlive(idleMs: number): void;
}

/** What the system does by itself. */
const SYSTEM_IDLE_MS = 7_200_000;

/** @param clientTimeoutMs 0: none */
export const keepAliveOf = (clientTimeoutMs: number): number =>
  clientTimeoutMs === 0 ? SYSTEM_IDLE_MS : keepAliveDelayMs(clientTimeoutMs);
