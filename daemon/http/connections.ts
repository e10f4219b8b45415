/** The connections of the HTTP server: not too many, in all and of one address. */
import type { Socket } from 'node:net';
import { MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ADDRESS } from './http-limits.ts';

export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #ofAddress = new Map<string, number>();

  get count(): number {
    return this.#sockets.size;
  }

  /** @returns false when it was one too many, and is closed */
  accepted(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const count = this.#ofAddress.get(address) ?? 0;
    const isHere = isLoopbackAddress(address);
    if (this.#sockets.size >= MAX_CONNECTIONS || (!isHere && count >= MAX_CONNECTIONS_OF_ADDRESS)) {
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    this.#ofAddress.set(address, count + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = this.#ofAddress.get(address)! - 1;
      if (left === 0) this.#ofAddress.delete(address);
      else this.#ofAddress.set(address, left);
    });
    return true;
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const isLoopbackAddress = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
