/** Where clients of a daemon that drains can go. */
import type { TransportPeer } from './client-transport.ts';

/** Another daemon of the configuration. */
export interface DrainTarget {
  /** Its place there. */
  readonly node: number;
  /** As `connect` takes it: `192.0.2.7:4803`. */
  readonly plain: string;
  /** For a client that uses TLS: `tls://192.0.2.7:4805`; null: this daemon serves no TLS, so the others' port is not known. */
  readonly tls: string | null;
  /** For a client that uses WebSockets: `ws://192.0.2.7:4884/`, and over TLS `wss://`; null likewise. */
  readonly webSocket: string | null;
  readonly secureWebSocket: string | null;
}

/** Of the kind that the client uses. Nobody is sent from an encrypted connection to one that is not. */
export function addressFor(target: DrainTarget, { isWeb, isEncrypted }: TransportPeer): string | null {
  if (isWeb === true) return isEncrypted === true ? target.secureWebSocket : target.webSocket;
  return isEncrypted === true ? target.tls : target.plain;
}
