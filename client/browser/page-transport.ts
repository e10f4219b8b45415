/** The connection to a daemon over a WebSocket: the one transport of web pages, and of programs that want it. */
import { SkeinError } from '../errors.ts';
import { type ClientSocket, Transport } from '../transport.ts';

/** What is used of the global class; types of the DOM are not at hand where the library is built for Node. */
interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
}

type WebSocketClass = new (url: string) => WebSocketLike;

/** The daemon takes no longer message. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** A WebSocket does not tell when it has sent something, so it is asked as often. */
const SENT_LOOK_MS = 1;
/** A page cannot stop its WebSocket: what comes while nobody takes it is kept, up to so much. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const CLOSE_NORMAL = 1000;

/** A WebSocket that looks like a socket of Node to the session above it. */
class WebSocketSocket implements ClientSocket {
  readonly #webSocket: WebSocketLike;
  readonly #received: (bytes: Uint8Array) => void;
  readonly #failed: (error: SkeinError) => void;
  readonly #listeners: Record<'connect' | 'close', (() => void)[]> = { connect: [], close: [] };
  readonly #waiting: (() => void)[] = [];
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isPaused = false;
  #isClosed = false;
  #looks: ReturnType<typeof setTimeout> | undefined;

  constructor(webSocket: WebSocketLike, received: (bytes: Uint8Array) => void, failed: (error: SkeinError) => void) {
    this.#webSocket = webSocket;
    this.#received = received;
    this.#failed = failed;
  }

  get writableLength(): number {
    return this.#webSocket.bufferedAmount;
  }

  opened(): void {
    this.#tell('connect');
  }

  message(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    if (!this.#isPaused) {
      this.#received(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= MAX_HELD_BYTES) return;
    const message = `the session was paused while ${this.#heldBytes} bytes came, limit ${MAX_HELD_BYTES}`;
    this.#failed(new SkeinError('CONNECTION_CLOSED', message));
    this.destroy();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#looks);
    this.#held = [];
    this.#tell('close');
  }

  write(bytes: Uint8Array, done?: () => void): void {
    for (let from = 0; from < bytes.length; from += MAX_MESSAGE_BYTES)
      this.#webSocket.send(bytes.subarray(from, from + MAX_MESSAGE_BYTES));
    if (done === undefined) return;
    this.#waiting.push(done);
    this.#looks ??= setTimeout(this.#look, 0);
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#held.length > 0) {
      const bytes = this.#held.shift()!;
      this.#heldBytes -= bytes.length;
      this.#received(bytes);
    }
  }

  end(): void {
    this.#webSocket.close(CLOSE_NORMAL);
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.#failed(error as SkeinError);
    this.#webSocket.close(CLOSE_NORMAL);
    this.closed();
  }

  once(event: 'connect' | 'close', listener: () => void): void {
    this.#listeners[event].push(listener);
  }

  readonly #look = (): void => {
    this.#looks = undefined;
    if (this.#isClosed) return;
    if (this.#webSocket.bufferedAmount > 0) {
      this.#looks = setTimeout(this.#look, SENT_LOOK_MS);
      return;
    }
    for (const done of this.#waiting.splice(0)) done();
  };

  #tell(event: 'connect' | 'close'): void {
    for (const listener of this.#listeners[event].splice(0)) listener();
  }
}

export class PageTransport extends Transport {
  readonly socket: WebSocketSocket;

  /** @throws {SkeinError} ILLEGAL_SPREAD where there is no WebSocket, or the URL is none of one */
  constructor(url: string) {
    super(url);
    const webSocket = openWebSocket(url);
    webSocket.binaryType = 'arraybuffer';
    const socket = new WebSocketSocket(
      webSocket,
      (bytes) => this.#take(bytes),
      (error) => this.fail(error),
    );
    this.socket = socket;
    webSocket.onopen = () => socket.opened();
    webSocket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) socket.message(new Uint8Array(data));
    };
    // Some implementations tell no close of what was never open.
    webSocket.onerror = () => {
      if (!this.isConnected) this.fail(this.#notConnected(0, ''));
    };
    webSocket.onclose = ({ code, reason }) => {
      this.fail(this.isConnected ? this.closedByDaemon() : this.#notConnected(code, reason));
      socket.closed();
    };
  }

  #take(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const room = this.input.room();
      const length = Math.min(room.length, bytes.length - from);
      room.set(bytes.subarray(from, from + length));
      from += length;
      this.received(length);
    }
  }

  /** Pages are not told why. */
  #notConnected(code: number, reason: string): SkeinError {
    const why = reason === '' ? (code === 0 ? '' : `: close code ${code}`) : `: ${reason}`;
    return new SkeinError('COULD_NOT_CONNECT', `could not connect to ${this.description}${why}`);
  }
}

function openWebSocket(url: string): WebSocketLike {
  const { WebSocket } = globalThis as unknown as { readonly WebSocket?: WebSocketClass };
  if (WebSocket === undefined)
    throw new SkeinError('ILLEGAL_SPREAD', `url ${url}: there is no WebSocket here (Node has it from version 22 on)`);
  try {
    return new WebSocket(url);
  } catch (cause) {
    throw new SkeinError('ILLEGAL_SPREAD', `url ${url}: ${(cause as Error).message}`, { cause });
  }
}
