/**
 * Accepts clients that speak the protocol in WebSocket frames, such as web pages. A connection is the worker's from its first byte on:
 * the request that opens a WebSocket counts as part of the handshake, with its limits in time and number.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { BoundAddress, ConnectionHost, ListenAddress, ListenerOptions } from '../client-listener.ts';
import type { TransportPeer } from '../client-transport.ts';
import { openServer } from './open-server.ts';
import { tcpPeerOf } from './socket-peer.ts';
import { originProblem } from './websocket-origin.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** Longest payload of one WebSocket message. A message of the protocol may go over several, so this bounds no client. */
const MAX_PAYLOAD_BYTES = 64 * 1024;
/** Pieces that one message may come in: a page sends one, some libraries a few. */
const MAX_FRAGMENTS = 1024;
const MAX_HEADER_BYTES = 8 * 1024;
const CLOSE_TIMEOUT_MS = 2000;
/** How long a request that was turned away may take to read why. */
const ANSWER_MS = 1000;
/** Looks for silent clients within one ClientTimeout. */
const LOOKS_PER_TIMEOUT = 6;
const MIN_LOOK_MS = 50;
const SUBPROTOCOL = 'skein';

/** The package's types lack one of its options. */
interface UpgradeOptions extends ServerOptions {
  /** How long a client may take to answer a Close. */
  readonly closeTimeout: number;
}

const UPGRADE_OPTIONS: UpgradeOptions = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MAX_PAYLOAD_BYTES,
  maxFragments: MAX_FRAGMENTS,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // Pings are answered by the transport, which keeps one answer waiting at most.
  autoPong: false,
  // Text is refused, whatever is in it.
  skipUTF8Validation: true,
  handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
};

export class WebSocketListener {
  readonly #host: ConnectionHost;
  readonly #servers: Server[] = [];
  /** Reads the requests of connections that were decrypted; it listens nowhere. */
  readonly #secured: Server;
  readonly #transports = new Map<Duplex, WebSocketTransport>();
  readonly #upgrades = new WebSocketServer(UPGRADE_OPTIONS);
  /** There is a listener whose clients may fall silent. */
  #isWatching = false;
  /** By which they are judged. */
  #timeoutMs = 0;
  #looks: NodeJS.Timeout | null = null;
  #isClosing = false;

  constructor(host: ConnectionHost) {
    this.#host = host;
    this.#secured = this.#createServer();
    this.#upgrades.on('wsClientError', ({ message }, socket) => this.#turnAway(socket, 400, message));
  }

  async listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    const server = this.#createServer();
    server.on('connection', (socket) => this.#take(socket, tcpPeerOf(socket)));
    this.#servers.push(server);
    const bound = await openServer(server, address, options, this.#host);
    this.watch();
    return bound;
  }

  /** A connection that was decrypted, in which nothing was read so far. */
  takeSecured(socket: Socket, peer: TransportPeer): void {
    this.#take(socket, peer);
    this.#secured.emit('connection', socket);
  }

  #createServer(): Server {
    const server = createServer({
      noDelay: true,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The worker's own limits for handshakes end what takes too long.
      headersTimeout: 0,
      requestTimeout: 0,
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('request', (request, response) => this.#answerRequest(request, response));
    server.on('clientError', (error, socket) => this.#turnAway(socket, 400, `no HTTP request: ${error.message}`));
    return server;
  }

  #take(socket: Socket, peer: TransportPeer): void {
    const transport = new WebSocketTransport(socket, peer, this.#host.buffers, () => this.#isClosing);
    this.#transports.set(socket, transport);
    socket.once('close', () => this.#transports.delete(socket));
    this.#host.accepted(transport);
  }

  close(): void {
    this.#isClosing = true;
    for (const server of this.#servers) server.close();
    // Whoever is connected goes on being watched until its connection ends.
    if (this.#transports.size === 0) this.#stopWatching();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const transport = this.#transports.get(socket);
    if (transport === undefined) {
      socket.destroy();
      return;
    }
    const { origin, host } = request.headers;
    const problem = originProblem(
      { origin, host, localAddress: request.socket.localAddress },
      this.#host.settings.current.webSocketOrigins,
    );
    if (problem !== null) this.#turnAway(socket, 403, problem);
    else this.#upgrades.handleUpgrade(request, socket, head, (webSocket) => transport.opened(webSocket));
  }

  #answerRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    const reason = 'a request that opens no WebSocket';
    response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' });
    response.end('This port takes WebSockets only.\n');
    this.#transports.get(socket)?.refuse(reason, ANSWER_MS);
  }

  /** Answers a request that becomes no WebSocket. */
  #turnAway(socket: Duplex, status: number, reason: string): void {
    const body = `${reason}\n`;
    if (socket.writable) {
      const lines = [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        'Connection: close',
        'Content-Type: text/plain; charset=utf-8',
        'X-Content-Type-Options: nosniff',
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    }
    const transport = this.#transports.get(socket);
    if (transport === undefined) socket.destroy();
    else transport.refuse(reason, ANSWER_MS);
  }

  /** Looks for silent clients from now on. */
  watch(): void {
    this.#isWatching = true;
    this.#watch();
  }

  settingsChanged(): void {
    const { clientTimeoutMs } = this.#host.settings.current;
    if (!this.#isWatching || clientTimeoutMs === this.#timeoutMs) return;
    this.#stopWatching();
    this.#watch();
  }

  #watch(): void {
    const { clientTimeoutMs } = this.#host.settings.current;
    this.#timeoutMs = clientTimeoutMs;
    if (this.#looks !== null || clientTimeoutMs === 0) return;
    const periodMs = Math.max(MIN_LOOK_MS, clientTimeoutMs / LOOKS_PER_TIMEOUT);
    this.#looks = setInterval(() => {
      const nowMs = performance.now();
      for (const transport of this.#transports.values()) transport.watch(nowMs, clientTimeoutMs);
      if (this.#isClosing && this.#transports.size === 0) this.#stopWatching();
    }, periodMs);
    this.#looks.unref();
  }

  #stopWatching(): void {
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#looks = null;
  }
}
