/** What a daemon serves over HTTP: health, metrics, status, events and the dashboard. Here its parts are put together. */
import type { ServerResponse } from 'node:http';
import { Registry } from 'prom-client';
import {
  type CountersMemory,
  DeliveryCounter,
  deliveryCounters,
  supervisorCounters,
} from '../../engine/buffers/counters.ts';
import { readCounters } from '../../engine/buffers/read-counters.ts';
import type { Endpoint } from '../../engine/config/endpoint.ts';
import type { DaemonEvent } from '../../workers/daemon-event.ts';
import type { Inspection } from '../../workers/inspection.ts';
import type { ThreadLoad } from '../../workers/supervisor.ts';
import { CheckValues } from './check-values.ts';
import { registerCounterMetrics } from './counter-metrics.ts';
import { sendDashboard } from './dashboard-page.ts';
import { EventLog } from './event-log.ts';
import { EventStreams } from './event-streams.ts';
import { Health } from './health.ts';
import { HttpServer, type Route } from './http-server.ts';
import { LoopDelay } from './loop-delay.ts';
import { registerOwnMetrics } from './own-metrics.ts';
import type { Refusal } from './request-check.ts';
import { send, sendJson } from './responses.ts';
import { type ConfiguredDaemon, ringStatus } from './ring-status.ts';
import { Sampler } from './sampler.ts';
import { SessionWatch } from './slow-sessions.ts';
import type { DaemonInfo, Hello, RingStatus, SessionStatus, Status } from './status-types.ts';
import { TokenFile } from './token-file.ts';

const LOOK_MS = 1000;

export interface HttpOptions {
  readonly listen: readonly Endpoint[];
  readonly tokenFile: string | null;
}

/** The daemon as HTTP shows it. */
export interface WatchedDaemon {
  readonly info: Omit<DaemonInfo, 'startedAt' | 'pid' | 'node'>;
  /** Of the configuration, in its order. */
  readonly daemons: readonly ConfiguredDaemon[];
  readonly self: number;
  readonly counters: CountersMemory;
  /** As they are now: they may change while the daemon runs. */
  readonly limits: () => Status['limits'];
  readonly inspect: () => Promise<Inspection>;
  readonly loads: () => readonly ThreadLoad[];
  readonly log: {
    readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
    readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  };
}

export class DaemonHttp {
  readonly #daemon: WatchedDaemon;
  readonly #info: DaemonInfo;
  readonly #registry = new Registry();
  readonly #events = new EventLog();
  readonly #health: Health;
  readonly #sessions: SessionWatch;
  readonly #sampler: Sampler;
  readonly #streams: EventStreams;
  readonly #checks: CheckValues;
  readonly #loopDelay = new LoopDelay();
  readonly #server: HttpServer;
  #timer: NodeJS.Timeout | null = null;
  /** The last look at all sessions. */
  #inspected: Inspection | null = null;
  #inspectedMs = Number.NEGATIVE_INFINITY;
  #bound: readonly Endpoint[] = [];

  private constructor(daemon: WatchedDaemon, tokens: TokenFile | null) {
    this.#daemon = daemon;
    this.#info = { ...daemon.info, node: process.versions.node, pid: process.pid, startedAt: Date.now() };
    this.#health = new Health(daemon.counters);
    this.#sessions = new SessionWatch(daemon.limits, this.#events);
    this.#sampler = new Sampler({
      counters: daemon.counters,
      loopDelayMs: () => this.#loopDelay.read('99') * 1000,
      answerMs: () => this.#answerMs(),
    });
    const counters = supervisorCounters(daemon.counters);
    this.#streams = new EventStreams(counters);
    this.#events.listen((event) => this.#streams.event(event));
    this.#registry.setDefaultLabels({ daemon: daemon.info.name });
    registerCounterMetrics(this.#registry, daemon.counters);
    registerOwnMetrics(this.#registry, {
      info: this.#info,
      limits: daemon.limits,
      health: () => this.#health.status(),
      members: () => this.#ring().members,
      events: this.#events,
      loopDelay: this.#loopDelay,
      loads: daemon.loads,
      inspect: () => this.#inspect(),
    });
    this.#checks = new CheckValues(this.#registry);
    this.#server = new HttpServer({ routes: this.#routes(), tokens, counters, warn: daemon.log.warn });
  }

  /** Listens; says that it is not ready until `running`. @throws (rejects) when it cannot listen, or the token file cannot be used */
  static async open({ listen, tokenFile }: HttpOptions, daemon: WatchedDaemon): Promise<DaemonHttp> {
    const { info, warn } = daemon.log;
    const tokens =
      tokenFile === null
        ? null
        : await TokenFile.open(tokenFile, {
            reloaded: (count) => info({ file: tokenFile, tokens: count }, 'http tokens read again'),
            refused: (reason) =>
              warn({ file: tokenFile, reason }, 'http tokens not read again; the old ones stay in force'),
          });
    const http = new DaemonHttp(daemon, tokens);
    http.#bound = await http.#server.listen(listen);
    return http;
  }

  /** Where it listens. */
  get endpoints(): readonly Endpoint[] {
    return this.#bound;
  }

  /** The daemon serves. */
  running(): void {
    this.#health.running();
    this.#events.add({ kind: 'daemon', what: 'started' });
    this.#loopDelay.start();
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** The daemon takes no new clients, and will end. */
  draining(): void {
    this.#health.draining();
    this.#events.add({ kind: 'daemon', what: 'draining' });
  }

  told(event: DaemonEvent): void {
    this.#events.told(event);
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#loopDelay.stop();
    await this.#server.close();
  }

  #routes(): ReadonlyMap<string, Route> {
    const open = { needsToken: false, parameters: [] };
    const secret = { needsToken: true, parameters: [] };
    return new Map<string, Route>([
      ['/', { ...open, serve: (response, _, request) => sendDashboard(request, response) }],
      ['/healthz', { ...open, serve: (response) => this.#sendHealth(response, 'alive') }],
      ['/readyz', { ...open, serve: (response) => this.#sendHealth(response, 'ready') }],
      ['/metrics', { ...secret, serve: (response) => this.#sendMetrics(response) }],
      ['/status.json', { ...secret, serve: async (response) => sendJson(response, 200, await this.#status()) }],
      [
        '/events',
        {
          needsToken: true,
          parameters: ['samples', 'after'],
          serve: (response, { query }, request) => this.#sendEvents(response, query, request.headers['last-event-id']),
        },
      ],
    ]);
  }

  #sendHealth(response: ServerResponse, what: 'alive' | 'ready'): void {
    const { alive, ready, reason } = this.#health.status();
    const isWell = what === 'alive' ? alive : ready;
    sendJson(response, isWell ? 200 : 503, isWell ? { [what]: true } : { [what]: false, reason });
  }

  async #sendMetrics(response: ServerResponse): Promise<void> {
    send(response, 200, this.#registry.contentType, await this.#registry.metrics());
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
    const after = Number(given) > this.#events.lastId ? 0 : Number(given);
    const hello: Hello = {
      daemon: this.#info,
      ring: this.#ring(),
      health: this.#health.status(),
      samples: hasSamples ? this.#sampler.samples : [],
    };
    this.#streams.begin(response, hasSamples, hello, this.#events.list(after));
    return undefined;
  }

  async #status(): Promise<Status> {
    const { inspection, sessions } = await this.#inspect();
    const { counters, limits } = this.#daemon;
    return {
      daemon: { ...this.#info, uptimeSeconds: Math.floor((Date.now() - this.#info.startedAt) / 1000) },
      health: this.#health.status(),
      ring: this.#ring(),
      sample: this.#sampler.last,
      limits: limits(),
      sessions: { count: inspection.sessionCount, list: sessions },
      ended: inspection.ended.toSorted((a, b) => a.endedAt - b.endedAt),
      groups: { count: inspection.groupCount, list: inspection.groups },
      events: this.#events.list(),
      checks: await this.#checks.values(),
      counters: readCounters(counters),
    };
  }

  #ring(): RingStatus {
    const { counters, daemons, self } = this.#daemon;
    return ringStatus(counters, daemons, self);
  }

  async #inspect(): Promise<{ readonly inspection: Inspection; readonly sessions: readonly SessionStatus[] }> {
    const inspection = await this.#daemon.inspect();
    this.#inspectedMs = performance.now();
    this.#inspected = inspection;
    return { inspection, sessions: this.#sessions.look(inspection, this.#inspectedMs) };
  }

  /** Of the last few seconds. */
  #answerMs(): number | null {
    if (this.#inspected === null || performance.now() - this.#inspectedMs > 5 * LOOK_MS) return null;
    return this.#inspected.answers.reduce((most, { tookMs }) => Math.max(most, tookMs ?? LOOK_MS), 0);
  }

  #look(): void {
    const nowMs = performance.now();
    this.#health.look();
    this.#loopDelay.look();
    // All sessions are walked over only while somebody looks, or some client may be slow.
    if (this.#streams.hasWatchers || this.#sessions.slowCount > 0 || this.#queuedBytes() > 0) void this.#inspect();
    void this.#checks.note(nowMs);
    const sample = this.#sampler.look(nowMs);
    if (sample !== null) this.#streams.tick({ sample, ring: this.#ring(), health: this.#health.status() }, nowMs);
  }

  #queuedBytes(): number {
    const { counters } = this.#daemon;
    let bytes = 0;
    for (let worker = 0; worker < counters.deliveryWorkers; worker++)
      bytes += deliveryCounters(counters, worker)[DeliveryCounter.QueuedBytes]!;
    return bytes;
  }
}
