import type { AuthChannel } from './auth-method.ts';
import { checkInteger } from './check.ts';
import { SkeinError } from './errors.ts';
import type { ReceiveBuffer } from './receive/receive-buffer.ts';
import { bytesOf, lengthOf, plainView } from './send/data.ts';
import type { ByteConsumer, Transport } from './transport.ts';

/** The most that one read of an authentication method may ask for; the handshake of Spread needs some 100 bytes. */
const MAX_READ_BYTES = 1024 * 1024;

/** Exact reads over a transport, for as long as the handshake goes. */
export class HandshakeChannel implements AuthChannel, ByteConsumer {
  readonly #transport: Transport;
  #wanted = 0;
  #waiting: { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (reason: unknown) => void } | undefined;
  #failure: { readonly reason: unknown } | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.attach(this);
  }

  read(lengthBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      checkInteger('lengthBytes', lengthBytes, 0, MAX_READ_BYTES);
      if (this.#waiting !== undefined)
        throw new SkeinError('ILLEGAL_STATE', 'read: the read before it has not ended; await it first');
      this.#wanted = lengthBytes;
      this.#waiting = { resolve, reject };
      this.receive(this.#transport.input);
      if (this.#failure !== undefined) this.ended(this.#failure.reason);
    });
  }

  /** The original daemon reads each part with a single call, so each must be one write (section 1.2). */
  write(bytes: Uint8Array): void {
    const source = bytesOf('bytes', bytes);
    // The method may use its memory again at once.
    if (lengthOf(source) > 0) this.#transport.socket.write(Buffer.from(plainView(source)));
  }

  receive(input: ReceiveBuffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined || input.end - input.start < this.#wanted) return;
    const bytes = Uint8Array.prototype.slice.call(input.bytes, input.start, input.start + this.#wanted);
    input.start += this.#wanted;
    this.#waiting = undefined;
    waiting.resolve(bytes);
  }

  ended(reason: unknown): void {
    this.#failure = { reason };
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }
}
