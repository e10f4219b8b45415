/** Called for each delivered message. The payload is `view[offset, offset + length)`, valid only during the call. */
export interface PayloadSink {
  onPayload(view: DataView, offset: number, lengthBytes: number): void;
}

/** One encoded message, and the place of its payload. */
export interface PublishFrame {
  readonly bytes: Uint8Array;
  readonly payloadOffset: number;
}

/**
 * The client side of a protocol on one connection, encoded by hand. It has no socket: `consume` takes bytes, and `takeOutput` returns bytes for
 * the server. All systems are driven through this interface, so the generator costs all of them the same.
 */
export interface ProtocolClient {
  /** The handshake is done, and the subscription (if any) is confirmed. */
  readonly ready: boolean;
  /** Consumes the whole units of `bytes[start, end)` and returns the position behind them. Throws on a protocol error. */
  consume(bytes: Uint8Array, view: DataView, start: number, end: number): number;
  /** Bytes to write to the server now, or null. Call it after connecting and after each `consume`. */
  takeOutput(): Uint8Array | null;
  /** `serial` numbers the frames of one sender's cycle, for protocols that number their messages. */
  publishFrame(group: string, payload: Uint8Array, serial: number): PublishFrame;
}

/** The role of a connection: a name that is unique in the run, and the group to subscribe to (senders: none). */
export interface ClientRole {
  readonly name: string;
  readonly group: string | null;
  readonly sink: PayloadSink;
}

export interface SpreadOptions {
  readonly service: 'unreliable' | 'reliable' | 'fifo' | 'causal' | 'agreed' | 'safe';
}

export interface MqttOptions {
  readonly qos: 0 | 1;
}

/** A protocol with its options. Plain data, because it is sent to the load threads. */
export type ProtocolChoice =
  | { readonly kind: 'spread'; readonly options: SpreadOptions }
  | { readonly kind: 'nats' }
  | { readonly kind: 'redis' }
  | { readonly kind: 'mqtt'; readonly options: MqttOptions }
  | { readonly kind: 'zmtp' }
  | { readonly kind: 'cpg' };

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

const encoder = new TextEncoder();
export const ascii = (text: string): Uint8Array => encoder.encode(text);

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Text of `bytes[start, end)`, for handshakes and error messages only. */
export const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  new TextDecoder('latin1').decode(bytes.subarray(start, end));

/** Collects bytes for the server until the connection takes them. */
export class OutputQueue {
  #bytes: Uint8Array | null = null;

  push(bytes: Uint8Array): void {
    this.#bytes = this.#bytes === null ? bytes : concatBytes(this.#bytes, bytes);
  }

  take(): Uint8Array | null {
    const bytes = this.#bytes;
    this.#bytes = null;
    return bytes;
  }
}
