/**
 * A raw socket with a protocol client. All connections of a thread read into one scratch buffer. Whole units are consumed in place; only a
 * cut unit at the end of a chunk is copied, and put in front of the next chunk.
 */
import { createConnection, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { ProtocolClient } from './protocol.ts';

/** Where a system under test accepts connections. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Certificate to trust, as PEM. If present, connections use TLS. */
  readonly ca?: string;
}

const CHUNK_BYTES = 256 * 1024;
/** Room in front of a chunk for a cut unit; more than the largest message of any scenario. */
const CARRY_BYTES = 512 * 1024;

export class ScratchBuffer {
  readonly bytes = new Uint8Array(CARRY_BYTES + CHUNK_BYTES);
  readonly view = new DataView(this.bytes.buffer);
  readonly chunk = this.bytes.subarray(CARRY_BYTES);
}

export interface ConnectionEvents {
  /** Called after each chunk was consumed. */
  onChunk(): void;
  /** Called before each chunk is consumed. */
  beforeChunk(): void;
  onDrain(): void;
  onFailure(error: Error): void;
}

export class Connection {
  readonly socket: Socket;
  readonly client: ProtocolClient;
  readonly #scratch: ScratchBuffer;
  readonly #events: ConnectionEvents;
  #carry = new Uint8Array(4096);
  #carryLength = 0;
  #closing = false;

  constructor(endpoint: Endpoint, client: ProtocolClient, scratch: ScratchBuffer, events: ConnectionEvents) {
    this.client = client;
    this.#scratch = scratch;
    this.#events = events;
    const onread = { buffer: scratch.chunk, callback: (lengthBytes: number) => this.#take(lengthBytes) };
    if (endpoint.ca === undefined) {
      this.socket = createConnection({ host: endpoint.host, port: endpoint.port, noDelay: true, onread });
      this.socket.on('connect', () => this.#flush());
    } else {
      // Node's types lack the socket options that `tls.connect` accepts.
      const options: ConnectionOptions & { readonly onread: typeof onread } = { ...endpoint, onread };
      this.socket = connectTls(options);
      this.socket.setNoDelay(true);
      this.socket.on('secureConnect', () => this.#flush());
    }
    this.socket.on('drain', () => events.onDrain());
    this.socket.on('error', (error) => this.#fail(error));
    this.socket.on('close', () => this.#fail(new Error('closed by the system under test')));
  }

  close(): void {
    this.#closing = true;
    this.socket.destroy();
  }

  #take(lengthBytes: number): boolean {
    const { bytes, view } = this.#scratch;
    const start = CARRY_BYTES - this.#carryLength;
    const end = CARRY_BYTES + lengthBytes;
    if (this.#carryLength > 0) bytes.set(this.#carry.subarray(0, this.#carryLength), start);
    this.#events.beforeChunk();
    try {
      const consumed = this.client.consume(bytes, view, start, end);
      this.#keep(consumed, end);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
    this.#flush();
    this.#events.onChunk();
    return true;
  }

  #keep(from: number, to: number): void {
    const length = to - from;
    if (length > CARRY_BYTES) throw new Error(`a unit of more than ${CARRY_BYTES} bytes`);
    if (length > this.#carry.length) this.#carry = new Uint8Array(Math.min(CARRY_BYTES, length * 2));
    if (length > 0) this.#carry.set(this.#scratch.bytes.subarray(from, to));
    this.#carryLength = length;
  }

  #flush(): void {
    const output = this.client.takeOutput();
    if (output !== null) this.socket.write(output);
  }

  #fail(error: Error): void {
    if (this.#closing) return;
    this.close();
    this.#events.onFailure(error);
  }
}
