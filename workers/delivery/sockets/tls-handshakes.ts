/**
 * Connections in the handshake of TLS. They have shown no right to anything, and each costs this daemon a signature: their time and their
 * number are bounded as those of the client handshake are. When there are too many, the address with most of them loses its oldest.
 */
import type { Socket } from 'node:net';
import { DeliveryCounter } from '../../../engine/buffers/counters.ts';
import { shareKey } from '../client-address.ts';
import type { ConnectionHost } from '../client-listener.ts';
import type { TransportPeer } from '../client-transport.ts';
import { tcpPeerOf } from './socket-peer.ts';

interface Begun {
  readonly socket: Socket;
  readonly share: string;
  readonly timer: NodeJS.Timeout;
}

export class TlsHandshakes {
  readonly #host: ConnectionHost;
  /** Oldest first, by the other end of the connection. */
  readonly #begun = new Map<string, Begun>();

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  begin(socket: Socket): void {
    const { settings, counters } = this.#host;
    const { handshakeTimeoutMs, maxHandshakes } = settings.current;
    const key = connectionKey(socket);
    if (this.#begun.size >= maxHandshakes) this.#crowdOut(maxHandshakes);
    const timer = setTimeout(() => {
      counters[DeliveryCounter.TlsHandshakesTimedOut]!++;
      this.#host.tlsFailed(tlsPeerOf(socket), `handshake: not finished after ${handshakeTimeoutMs} ms`);
      socket.destroy();
    }, handshakeTimeoutMs);
    this.#begun.set(key, { socket, share: shareKey(socket.remoteAddress), timer });
    socket.once('close', () => this.#forget(key, socket));
    this.#publish();
  }

  /** The handshake is over. @returns false when nobody waits for this connection any more */
  end(socket: Socket): boolean {
    const key = connectionKey(socket);
    const begun = this.#begun.get(key);
    if (begun === undefined) return false;
    this.#forget(key, begun.socket);
    return true;
  }

  /** No connection is left behind. */
  close(): void {
    for (const { socket } of [...this.#begun.values()]) socket.destroy();
  }

  #forget(key: string, socket: Socket): void {
    const begun = this.#begun.get(key);
    if (begun?.socket !== socket) return;
    clearTimeout(begun.timer);
    this.#begun.delete(key);
    this.#publish();
  }

  #crowdOut(maxHandshakes: number): void {
    const numbers = new Map<string, number>();
    for (const { share } of this.#begun.values()) numbers.set(share, (numbers.get(share) ?? 0) + 1);
    const most = Math.max(...numbers.values());
    for (const [key, { socket, share }] of this.#begun) {
      if (numbers.get(share) !== most) continue;
      this.#host.counters[DeliveryCounter.TlsHandshakesCrowdedOut]!++;
      this.#host.crowded(`handshakes of TLS: there are MaxHandshakes ${maxHandshakes} in this worker`);
      this.#forget(key, socket);
      socket.destroy();
      return;
    }
  }

  #publish(): void {
    this.#host.counters[DeliveryCounter.TlsHandshakesOpen] = this.#begun.size;
  }
}

/** The same for a connection and for what TLS puts around it. */
const connectionKey = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

export const tlsPeerOf = (socket: Socket): TransportPeer => ({ ...tcpPeerOf(socket), isEncrypted: true });
