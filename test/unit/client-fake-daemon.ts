/** A scripted daemon: each connection runs a script with the exact bytes that it expects and sends. */
import { createServer, type Server, type Socket } from 'node:net';
import { type ConnectOptions, connect, type Session } from '../../client/index.ts';

/** The daemon's side of one connection. */
export class Peer {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('error', end);
    socket.on('end', end);
    socket.on('close', end);
  }

  /** Received bytes that the script has not read yet. */
  get unread(): number {
    return this.#received.length;
  }

  async read(length: number): Promise<Buffer> {
    while (this.#received.length < length) {
      if (this.#ended) throw new Error(`the client closed with ${this.#received.length} of ${length} bytes sent`);
      await this.#change();
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  /** Everything that the client sends until it closes. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#change();
    return this.#received;
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** One segment for each byte, as far as the network stack allows. */
  async writeByteByByte(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      await new Promise<void>((resolve) => this.socket.write(Uint8Array.of(byte), () => resolve()));
      await turn();
    }
  }

  /** The daemon's part of the usual handshake. Returns the name asked for. */
  async accept(daemonName = 'localhost'): Promise<string> {
    const head = await this.read(5);
    const name = (await this.read(head[4]!)).toString('latin1') || 'r1-1';
    this.write('\x05NULL ');
    await this.read(90);
    const privateName = `#${name}#${daemonName}`;
    this.write(Buffer.concat([Buffer.of(1, 4, 4, 0, privateName.length), Buffer.from(privateName, 'latin1')]));
    return name;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export type Script = (peer: Peer, connection: number) => Promise<void>;

export class FakeDaemon {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Rejects when a script failed. */
  readonly failure: Promise<never>;
  connections = 0;
  /** The first expectation of a script that failed. */
  #broken: Error | null = null;

  private constructor(server: Server, script: Script, path: string | undefined) {
    this.#server = server;
    const bound = server.address();
    this.address =
      path !== undefined || bound === null || typeof bound === 'string'
        ? { path: path ?? '' }
        : { host: '127.0.0.1', port: bound.port };
    let fail: (error: unknown) => void = () => undefined;
    this.failure = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.failure.catch(() => undefined);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      script(new Peer(socket), this.connections++).catch((error: unknown) => {
        if (error instanceof Error && error.name === 'AssertionError') this.#broken ??= error;
        fail(error);
      });
    });
  }

  static async start(script: Script, path?: string): Promise<FakeDaemon> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve) => {
      if (path === undefined) server.listen(0, '127.0.0.1', resolve);
      else server.listen(path, resolve);
    });
    return new FakeDaemon(server, script, path);
  }

  /** Rejects when an expectation of a script failed, also when the client had no part in it any more. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    for (let i = 0; i < 10; i++) await turn();
    if (this.#broken !== null) throw this.#broken;
  }
}

/** A session with a fake daemon, and the daemon's side of it. */
export async function openPair(
  options: ConnectOptions = {},
): Promise<{ readonly session: Session; readonly peer: Peer; readonly daemon: FakeDaemon }> {
  let give: (peer: Peer) => void = () => undefined;
  const accepted = new Promise<Peer>((resolve) => {
    give = resolve;
  });
  const daemon = await FakeDaemon.start(async (peer) => {
    await peer.accept();
    give(peer);
  });
  const session = await connect({ address: daemon.address, name: 'alice', ...options });
  return { session, peer: await accepted, daemon };
}

/** Runs everything that is ready: sockets, timers, callbacks. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until `condition` holds; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
