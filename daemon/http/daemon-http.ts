/** What a daemon serves over HTTP: health, metrics, status, events and the dashboard. Here its parts are put together. */
import type { ServerResponse } from 'node:http';
import { type CountersMemory, supervisorCounters } from '../../engine/buffers/counters.ts';
import type { TlsSettings } from '../../workers/delivery/tls-settings.ts';
import type { ReloadReport } from '../reload/reloader.ts';
import type { TraceDesk } from '../trace/trace-desk.ts';
import { readProbeWish, readTracedGroup, WishProblem } from '../trace/trace-wish.ts';
import type { DaemonView } from './daemon-view.ts';
import { sendDashboard } from './dashboard-page.ts';
import { EventStreams } from './event-streams.ts';
import { type HttpEndpoint, HttpServer, type Route } from './http-server.ts';
import { checkCertificate } from './https-server.ts';
import type { Refusal } from './request-check.ts';
import { send, sendJson } from './responses.ts';
import type { ReloadRefusal } from './status-types.ts';
import { TokenFile } from './token-file.ts';

export interface HttpOptions {
  readonly listen: readonly HttpEndpoint[];
  /** Of those with TLS; null: there are none. */
  readonly tls: TlsSettings | null;
  readonly tokenFile: string | null;
}

export interface HttpParts {
  readonly watch: DaemonView;
  /** Of the daemon. */
  readonly name: string;
  /** Ends the daemon: after its clients had time to move, or at once. @param peer who asked, for the log */
  readonly end: (isAtOnce: boolean, peer: string) => void;
  /** Reads options and files again. @throws (rejects) when it is refused; nothing has changed then @param peer who asked, for the log */
  readonly reload: (peer: string) => Promise<ReloadReport>;
  readonly traces: TraceDesk;
  readonly counters: CountersMemory;
  readonly log: {
    readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
    readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  };
}

export class DaemonHttp {
  readonly #watch: DaemonView;
  readonly #parts: HttpParts;
  readonly #traces: TraceDesk;
  readonly #streams: EventStreams;
  readonly #server: HttpServer;
  #bound: readonly HttpEndpoint[] = [];

  private constructor(parts: HttpParts, tokens: TokenFile | null, tls: TlsSettings | null) {
    const { watch, traces, counters, log } = parts;
    this.#parts = parts;
    this.#watch = watch;
    this.#traces = traces;
    const own = supervisorCounters(counters);
    this.#streams = new EventStreams(own);
    watch.events.listen((event) => this.#streams.event(event));
    watch.listen({
      isWatching: () => this.#streams.hasWatchers,
      tick: (tick, nowMs) => this.#streams.tick(tick, nowMs),
    });
    this.#server = new HttpServer({ routes: this.#routes(), tokens, tls, counters: own, warn: log.warn });
  }

  /** Listens; says that it is not ready until the daemon runs. @throws (rejects) when it cannot listen, or the token file cannot be used */
  static async open({ listen, tls, tokenFile }: HttpOptions, parts: HttpParts): Promise<DaemonHttp> {
    const { info, warn } = parts.log;
    const tokens =
      tokenFile === null
        ? null
        : await TokenFile.open(tokenFile, {
            reloaded: (count) => info({ file: tokenFile, tokens: count }, 'http tokens read again'),
            refused: (reason) =>
              warn({ file: tokenFile, reason }, 'http tokens not read again; the old ones stay in force'),
          });
    const http = new DaemonHttp(parts, tokens, tls);
    http.#bound = await http.#server.listen(listen);
    return http;
  }

  /** Where it listens. */
  get endpoints(): readonly HttpEndpoint[] {
    return this.#bound;
  }

  /** @returns connections that come later get this certificate @throws when it cannot be used */
  prepareCertificate(tls: TlsSettings | null): () => void {
    if (tls === null) return () => {};
    checkCertificate(tls);
    return () => this.#server.changeCertificate(tls);
  }

  async close(): Promise<void> {
    await this.#streams.end();
    await this.#server.close();
  }

  #routes(): ReadonlyMap<string, Route> {
    const open = { method: 'GET', right: 'none', parameters: [] } as const;
    const secret = { method: 'GET', right: 'read', parameters: [] } as const;
    const traces = { method: 'GET', right: 'trace' } as const;
    return new Map<string, Route>([
      ['/', { ...open, serve: (response, _, request) => sendDashboard(request, response) }],
      ['/healthz', { ...open, serve: (response) => this.#sendHealth(response, 'alive') }],
      ['/readyz', { ...open, serve: (response) => this.#sendHealth(response, 'ready') }],
      ['/metrics', { ...secret, serve: (response) => this.#sendMetrics(response) }],
      ['/status.json', { ...secret, serve: async (response) => sendJson(response, 200, await this.#watch.status()) }],
      [
        '/trace',
        { ...traces, parameters: ['group'], serve: (response, { query }) => this.#sendTrace(response, query) },
      ],
      [
        '/probe',
        {
          ...traces,
          parameters: ['group', 'service', 'timeoutMs'],
          serve: (response, { query }) => this.#sendProbe(response, query),
        },
      ],
      [
        '/events',
        {
          ...secret,
          parameters: ['samples', 'after'],
          serve: (response, { query }, request) => this.#sendEvents(response, query, request.headers['last-event-id']),
        },
      ],
      ['/reload', { method: 'POST', right: 'admin', parameters: [], serve: (response) => this.#reload(response) }],
      [
        '/drain',
        {
          method: 'POST',
          right: 'admin',
          parameters: ['daemon', 'at-once'],
          serve: (response, { query }) => this.#drain(response, query),
        },
      ],
    ]);
  }

  async #reload(response: ServerResponse): Promise<void> {
    const peer = response.req.socket.remoteAddress ?? 'unknown';
    const answer = await this.#parts.reload(peer).then(
      (report) => ({ status: 200, body: report }),
      (error: Error) => ({ status: 409, body: refusalOf(error) }),
    );
    sendJson(response, answer.status, answer.body);
  }

  /** Whoever asks names the daemon, so that nobody ends another one than he means. */
  #drain(response: ServerResponse, query: URLSearchParams): Refusal | undefined {
    const { name, end } = this.#parts;
    if (query.get('daemon') !== name)
      return { status: 409, reason: `this daemon is ${name}: its name must be given as daemon=${name}` };
    const isAtOnce = query.get('at-once') === '1';
    const { reason } = this.#watch.health();
    sendJson(response, 202, { daemon: name, draining: true, atOnce: isAtOnce, wasDraining: reason === 'draining' });
    end(isAtOnce, response.req.socket.remoteAddress ?? 'unknown');
    return undefined;
  }

  #sendHealth(response: ServerResponse, what: 'alive' | 'ready'): void {
    const { alive, ready, reason } = this.#watch.health();
    const isWell = what === 'alive' ? alive : ready;
    sendJson(response, isWell ? 200 : 503, isWell ? { [what]: true } : { [what]: false, reason });
  }

  async #sendMetrics(response: ServerResponse): Promise<void> {
    const { registry } = this.#watch;
    send(response, 200, registry.contentType, await registry.metrics());
  }

  #sendTrace(response: ServerResponse, query: URLSearchParams): Refusal | undefined {
    try {
      const group = readTracedGroup(query.get('group'));
      if (this.#streams.isFull) return { status: 503, reason: 'there are too many streams' };
      if (this.#traces.isTracing)
        return { status: 503, reason: 'a group is being traced already, and one at a time can be' };
      const stream = this.#streams.open(response, 'tracing', { group });
      const end = this.#traces.trace(group, false, (events) => {
        for (const event of events) stream('traced', event);
      });
      response.once('close', end);
      return undefined;
    } catch (error) {
      return traceRefusal(error);
    }
  }

  async #sendProbe(response: ServerResponse, query: URLSearchParams): Promise<Refusal | undefined> {
    try {
      const wish: Record<string, unknown> = Object.fromEntries(query);
      const { timeoutMs } = wish;
      const probe = readProbeWish(timeoutMs === undefined ? wish : { ...wish, timeoutMs: Number(timeoutMs) });
      // A request by HEAD would send one and tell nothing.
      if (response.req.method === 'HEAD') return { status: 405, reason: 'a probe is asked for by GET' };
      sendJson(response, 200, await this.#traces.probe(probe));
      return undefined;
    } catch (error) {
      return traceRefusal(error);
    }
  }

  /** A client that comes again names the last event that it has seen; the numbers of another run are higher than ours, or mean nothing. */
  #sendEvents(
    response: ServerResponse,
    query: URLSearchParams,
    lastId: string | string[] | undefined,
  ): Refusal | undefined {
    const given = query.get('after') ?? (typeof lastId === 'string' ? lastId : '0');
    if (!/^\d{1,15}$/.test(given)) {
      return { status: 400, reason: 'after: the number of an event' };
    }
    if (this.#streams.isFull) {
      return { status: 503, reason: 'there are too many streams of events' };
    }
    const hasSamples = query.get('samples') === '1';
    this.#streams.begin(
      response,
      hasSamples,
      this.#watch.hello(hasSamples),
      this.#watch.events.listAfter(Number(given)),
    );
    return undefined;
  }
}

const refusalOf = ({ message }: Error): ReloadRefusal => ({
  refused: true,
  error: 'options not reloaded; the old ones stay in force',
  problems: message.split('\n'),
});

function traceRefusal(error: unknown): Refusal {
  if (error instanceof WishProblem) return { status: 400, reason: error.message };
  throw error;
}
