/** A transport without a client. It takes everything at once and drops it. */
import type { ClientTransport, TransportPeer, TransportReceiver } from '../../workers/delivery/client-transport.ts';

export class SwallowingTransport implements ClientTransport {
  readonly peer: TransportPeer = { label: 'bench', address: undefined };
  readonly tcpEnds = {};
  pendingBytes = 0;
  unsentBytes = 0;
  isDestroyed = false;
  isPaused = false;

  attach(_receiver: TransportReceiver): void {}

  readLong(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  write(_bytes: Uint8Array, _done?: () => void): void {}

  cork(): void {}

  uncork(): void {}

  end(_bytes?: Uint8Array): void {}

  destroy(): void {
    this.isDestroyed = true;
  }

  destroySoon(): void {
    this.destroy();
  }

  keepAlive(_idleMs: number): void {}
}
