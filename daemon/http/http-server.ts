/**
 * The HTTP server of a daemon: listens, refuses invalid requests cheaply, and passes the others to the routes. It runs in
 * the thread that started the daemon, away from all messages.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SupervisorCounter } from '../../engine/buffers/counters.ts';
import { type Endpoint, isLoopbackEndpoint } from '../../engine/config/endpoint.ts';
import type { TlsSettings } from '../../workers/delivery/tls-settings.ts';
import { endpointFailure } from '../../workers/listen-failure.ts';
import { OnceAMinute } from '../../workers/once-a-minute.ts';
import { Connections } from './connections.ts';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, MAX_HEADER_BYTES, STUCK_MS } from './http-limits.ts';
import { certificateOf, changeCertificate, createHttpsServer } from './https-server.ts';
import { type HttpQuestion, isCrossSite, isOwnHost, type Refusal, readQuestion, wrongMethod } from './request-check.ts';
import { sendRefusal } from './responses.ts';
import type { TokenFile, TokenRight } from './token-file.ts';

// biome-ignore lint/suspicious/noConfusingVoidType: most routes serve whatever they are asked, and return nothing
type Served = Refusal | void;

export interface Route {
  /** `GET`: also HEAD. */
  readonly method: 'GET' | 'POST';
  /**
   * What reveals clients or messages needs a token where tokens are configured, and what traces needs one with the right admin there; what
   * changes the daemon needs one in any case.
   */
  readonly right: 'none' | 'trace' | TokenRight;
  /** Names of its parameters. */
  readonly parameters: readonly string[];
  /** @returns why it does not serve, if so */
  readonly serve: (
    response: ServerResponse,
    question: HttpQuestion,
    request: IncomingMessage,
  ) => Served | Promise<Served>;
}

export interface HttpServerParts {
  readonly routes: ReadonlyMap<string, Route>;
  /** Null: none is needed, because all addresses are loopback. */
  readonly tokens: TokenFile | null;
  /** The supervisor's block. */
  readonly counters: Float64Array;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  /** Of addresses with TLS; null: there are none. */
  readonly tls: TlsSettings | null;
}

const SETTINGS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: HEADERS_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: 1000,
  requireHostHeader: true,
} as const;

export interface HttpEndpoint extends Endpoint {
  readonly isEncrypted: boolean;
}

export class HttpServer {
  readonly #parts: HttpServerParts;
  readonly #servers: Server[] = [];
  /** Those of them with TLS. */
  readonly #encrypted: Server[] = [];
  readonly #secured = new WeakSet<object>();
  readonly #connections = new Connections();
  readonly #complaints = new OnceAMinute();

  constructor(parts: HttpServerParts) {
    this.#parts = parts;
  }

  /** @returns where it listens @throws (rejects) ListenFailure; nothing listens then */
  async listen(endpoints: readonly HttpEndpoint[]): Promise<readonly HttpEndpoint[]> {
    const bound: HttpEndpoint[] = [];
    try {
      for (const endpoint of endpoints) bound.push(await this.#open(endpoint));
    } catch (error) {
      await this.close();
      throw error;
    }
    return bound;
  }

  /** Connections that come from now on get this certificate; it was checked. */
  changeCertificate(tls: TlsSettings): void {
    for (const server of this.#encrypted) changeCertificate(server, tls);
  }

  async close(): Promise<void> {
    const closed = this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve)));
    this.#connections.closeAll();
    await Promise.all(closed);
  }

  async #open(endpoint: HttpEndpoint): Promise<HttpEndpoint> {
    const { tls, counters } = this.#parts;
    const isOpenToAll = this.#parts.tokens === null && isLoopbackEndpoint(endpoint);
    const answer: RequestListener = (request, response) => this.#request(request, response, isOpenToAll);
    const server =
      endpoint.isEncrypted && tls !== null ? createHttpsServer(SETTINGS, answer, tls) : createServer(SETTINGS, answer);
    if (endpoint.isEncrypted) this.#encrypted.push(server);
    server.on('secureConnection', (socket: Socket) => this.#secured.add(socket));
    server.setTimeout(STUCK_MS);
    server.on('connection', (socket) => {
      if (!this.#connections.accepted(socket)) {
        counters[SupervisorCounter.HttpRefused]!++;
        this.#complain('http connection refused: too many', { limit: 'connections', peer: socket.remoteAddress });
      }
      this.#countConnections();
      socket.once('close', () => this.#countConnections());
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      counters[SupervisorCounter.HttpRefused]!++;
      if (socket instanceof TLSSocket && !this.#secured.has(socket)) {
        const { remoteAddress: peer } = socket;
        const reason = error.code ?? error.message;
        if (this.#complaints.allows('handshake', performance.now()))
          this.#parts.warn({ peer, reason }, 'http handshake of TLS failed');
        socket.destroy();
        return;
      }
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
      if (socket.writable && error.code !== 'ECONNRESET')
        socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      else socket.destroy();
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(endpointFailure(endpoint.isEncrypted ? 'http-tls' : 'http', endpoint, error)),
      );
      server.listen(endpoint.port, endpoint.host, resolve);
    });
    return { ...endpoint, port: (server.address() as AddressInfo).port };
  }

  #request(request: IncomingMessage, response: ServerResponse, isOpenToAll: boolean): void {
    this.#parts.counters[SupervisorCounter.HttpRequests]!++;
    this.#answer(request, response, isOpenToAll).catch((error: Error) => {
      this.#parts.warn({ path: pathOf(request), reason: error.message }, 'http request failed');
      if (!response.headersSent) sendRefusal(response, { status: 503, reason: 'the daemon could not answer' });
      else response.destroy();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, isOpenToAll: boolean): Promise<void> {
    const question = readQuestion(request);
    if ('status' in question) return this.#refuse(response, question);
    if (isOpenToAll && !isOwnHost(request.headers.host)) {
      const reason = 'without a token this daemon is asked by its address, or as localhost';
      return this.#refuse(response, { status: 421, reason });
    }
    if (isCrossSite(request)) return this.#refuse(response, { status: 403, reason: 'asked by another site' });
    const route = this.#parts.routes.get(question.path);
    if (route === undefined) return this.#refuse(response, { status: 404, reason: 'there is no such page' });
    if (route.method !== (question.method === 'HEAD' ? 'GET' : question.method))
      return this.#refuse(response, wrongMethod(route.method));
    for (const name of question.query.keys()) {
      if (route.parameters.includes(name)) continue;
      return this.#refuse(response, { status: 400, reason: 'an unknown parameter' });
    }
    const lacking = route.right === 'none' ? null : await this.#lacking(route.right, request);
    if (lacking !== null) {
      this.#complain('http request refused: no valid token', { peer: request.socket.remoteAddress });
      return this.#refuse(response, lacking);
    }
    const refusal = await route.serve(response, question, request);
    if (refusal) this.#refuse(response, refusal);
  }

  /** @returns why the request may not; null: it may */
  async #lacking(right: 'trace' | TokenRight, { headers, socket }: IncomingMessage): Promise<Refusal | null> {
    const { tokens } = this.#parts;
    if (tokens === null)
      return right === 'read' || right === 'trace'
        ? null
        : { status: 403, reason: 'this needs HttpTokenFile, and a token in it with the right admin' };
    const name = certificateOf(socket);
    const shown = name === null ? null : await tokens.rightOfCertificate(name);
    const has = shown === 'admin' ? shown : ((await tokens.rightOf(headers.authorization)) ?? shown);
    if (has === null) return { status: 401, reason: 'a token is needed: Authorization: Bearer TOKEN' };
    return right === 'read' || has === 'admin'
      ? null
      : { status: 403, reason: 'the token, or certificate, has no right admin in HttpTokenFile' };
  }

  #refuse(response: ServerResponse, refusal: Refusal): void {
    this.#parts.counters[SupervisorCounter.HttpRefused]!++;
    sendRefusal(response, refusal);
  }

  #countConnections(): void {
    this.#parts.counters[SupervisorCounter.HttpConnections] = this.#connections.count;
  }

  #complain(message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#complaints.allows(message, performance.now())) this.#parts.warn(fields, message);
  }
}

const pathOf = ({ url }: IncomingMessage): string => (url ?? '').split('?')[0]!.slice(0, 80);
