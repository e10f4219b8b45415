import { SkeinError } from './errors.ts';
import { ReceiveBuffer } from './receive/receive-buffer.ts';

/** Handles what is read: the handshake first, then the session's receiver. */
export interface ByteConsumer {
  /** New bytes are in `input`; the consumer advances `input.start` over what it is done with. */
  receive(input: ReceiveBuffer): void;
  /** Nothing more will come: the daemon or the network ended the connection, or `Transport.destroy` did. */
  ended(reason: unknown): void;
}

/** What carries the bytes: a socket of Node, or what stands in for it where there is none. */
export interface ClientSocket {
  /** Bytes given to `write` that the system has not taken. */
  readonly writableLength: number;
  /** @param done called when the system has taken the bytes, and all before them; they must not change until then */
  write(bytes: Uint8Array, done?: () => void): unknown;
  /** Writes between the two leave as one. */
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  /** Behind all that was written. */
  end(): unknown;
  /** Drops what is not sent. @param error the reason that its transport learns */
  destroy(error?: Error): unknown;
  once(event: 'connect' | 'secureConnect' | 'close', listener: () => void): unknown;
}

/** The connection to the daemon: reads into one reused buffer, and turns every way to end into one reason. */
export abstract class Transport {
  abstract readonly socket: ClientSocket;
  readonly input = new ReceiveBuffer();
  readonly description: string;
  protected isConnected = false;
  /** When bytes may go. */
  protected readonly connectedEvent: 'connect' | 'secureConnect' = 'connect';
  #consumer: ByteConsumer | undefined;
  #failure: { readonly reason: unknown } | undefined;

  /** @param description of the daemon's address, for errors */
  constructor(description: string) {
    this.description = description;
  }

  /**
   * Resolves when the connection stands; rejects with COULD_NOT_CONNECT, ILLEGAL_SPREAD or the reason given to
   * `destroy`.
   */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.attach({ receive: () => undefined, ended: reject });
      this.socket.once(this.connectedEvent, () => {
        this.isConnected = true;
        resolve();
      });
    });
  }

  /** Makes `consumer` the receiver of new bytes and of the end; an end that already came is reported at once. */
  attach(consumer: ByteConsumer): void {
    this.#consumer = consumer;
    if (this.#failure !== undefined) consumer.ended(this.#failure.reason);
  }

  /**
   * Ends the connection now; unsent bytes are lost. `reason` is what the consumer learns, unless it has one already.
   */
  destroy(reason: unknown): void {
    this.fail(reason);
    this.socket.destroy();
  }

  /** `lengthBytes` were read into the room that `input` gave last. */
  protected received(lengthBytes: number): void {
    this.input.commit(lengthBytes);
    this.#consumer?.receive(this.input);
  }

  protected fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#consumer?.ended(reason);
  }

  protected closedByDaemon(): SkeinError {
    return new SkeinError('CONNECTION_CLOSED', `the daemon at ${this.description} closed the connection`);
  }
}
