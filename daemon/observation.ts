/**
 * Who looks at the daemon, and how: over HTTP, where `HttpListen` has addresses, and over the client port. What it costs is spent from the
 * first look on; only the last events are remembered from the start.
 */
import { OrderingCounter, RING_NODE_COUNTERS, ringCounters } from '../engine/buffers/counters.ts';
import { allHosts } from '../engine/config/daemon-configuration.ts';
import { endpointText, isLoopbackEndpoint } from '../engine/config/endpoint.ts';
import { RingCounter } from '../engine/host/ring-counters.ts';
import type { DaemonEvent } from '../workers/daemon-event.ts';
import type { DaemonSpec } from '../workers/daemon-spec.ts';
import type { DeliverySettings } from '../workers/delivery/delivery-settings.ts';
import type { SettingsSnapshot } from '../workers/settings/settings-snapshot.ts';
import type { Prepared } from '../workers/settings/two-steps.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { ResolvedThreadingMode } from '../workers/threading.ts';
import type { WatchReport } from '../workers/watch/watch-messages.ts';
import type { DaemonLog } from './daemon-log.ts';
import type { DaemonHttp } from './http/daemon-http.ts';
import type { DaemonView } from './http/daemon-view.ts';
import { EventLog } from './http/event-log.ts';
import type { StopReport } from './http/status-types.ts';
import type { ClientDesk } from './monitor/client-desk.ts';
import type { ResolvedDaemonOptions } from './options-resolve.ts';
import { packageRelease } from './release.ts';
import type { ReloadReport } from './reload/reloader.ts';
import type { TraceDesk } from './trace/trace-desk.ts';

const READABLE =
  'HTTP beyond this machine is not encrypted, so its tokens can be read on the way: use HttpTlsListen there';

export interface ObservationParts {
  readonly resolved: ResolvedDaemonOptions;
  readonly spec: DaemonSpec;
  readonly threadingMode: ResolvedThreadingMode;
  /** As it is now. */
  readonly delivery: () => DeliverySettings;
  readonly supervisor: Supervisor;
  readonly log: DaemonLog;
  /** Ends the daemon: after its clients had time to move, or at once. @param peer who asked, for the log */
  readonly end: (isAtOnce: boolean, peer: string) => void;
  /** @param peer who asked, for the log */
  readonly reload: (peer: string) => Promise<ReloadReport>;
}

export class Observation {
  readonly #parts: ObservationParts;
  readonly #events = new EventLog();
  readonly #startedAt = Date.now();
  #view: Promise<DaemonView> | null = null;
  #desk: Promise<ClientDesk> | null = null;
  #traces: Promise<TraceDesk> | null = null;
  #http: DaemonHttp | null = null;
  #isRunning = false;
  #isDraining = false;
  #isClosed = false;

  constructor(parts: ObservationParts) {
    this.#parts = parts;
  }

  /** Where it serves HTTP. */
  get urls(): readonly string[] {
    return this.#http === null
      ? []
      : this.#http.endpoints.map(
          (endpoint) => `${endpoint.isEncrypted ? 'https' : 'http'}://${endpointText(endpoint)}/`,
        );
  }

  /** Of no effect without `HttpListen`. @throws (rejects) as `DaemonHttp.open` */
  async openHttp(): Promise<void> {
    const { resolved, spec, supervisor, log, end, reload } = this.#parts;
    const { httpListen, httpTlsListen, httpTokenFile } = resolved.configuration.options;
    if (httpListen.length + httpTlsListen.length === 0) return;
    if (!httpListen.every(isLoopbackEndpoint)) log.warn({}, READABLE);
    // A daemon without HTTP need not load what serves it.
    const { DaemonHttp } = await import('./http/daemon-http.ts');
    this.#http = await DaemonHttp.open(
      {
        listen: [
          ...httpListen.map((endpoint) => ({ ...endpoint, isEncrypted: false })),
          ...httpTlsListen.map((endpoint) => ({ ...endpoint, isEncrypted: true })),
        ],
        tls: this.#parts.delivery().tls,
        tokenFile: httpTokenFile,
      },
      {
        watch: await this.#look(),
        traces: await this.#trace(),
        name: spec.name,
        end,
        reload,
        counters: supervisor.memory.counters,
        log,
      },
    );
  }

  /** What a reload changes here. @throws when the certificate cannot be used */
  prepare({ delivery: { tls } }: SettingsSnapshot): Prepared {
    const apply = this.#http?.prepareCertificate(tls) ?? (() => {});
    return { apply, discard: () => {} };
  }

  /** The daemon serves. */
  async running(): Promise<void> {
    this.#isRunning = true;
    this.#events.add({ kind: 'daemon', what: 'started' });
    (await this.#view)?.running();
  }

  /** The daemon takes no new clients, and will end. */
  draining(): void {
    this.#isDraining = true;
    this.#events.add({ kind: 'daemon', what: 'draining' });
    void this.#view?.then((view) => view.draining());
  }

  /** The daemon has stopped: the last event. */
  stopped(report: StopReport): void {
    this.#events.add({ kind: 'daemon', what: 'stopped', report });
  }

  told(event: DaemonEvent): void {
    this.#events.told(event);
  }

  /** What agents have for those who look. */
  report(report: WatchReport): void {
    if (this.#isClosed) return;
    if (report.kind !== 'monitor-request' && report.kind !== 'monitor-end') {
      void this.#trace().then((traces) => traces.report(report));
      return;
    }
    this.#desk ??= this.#openDesk();
    void this.#desk.then((desk) => {
      if (report.kind === 'monitor-request') void desk.take(report);
      else desk.end(report.session);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    (await this.#desk)?.close();
    (await this.#view)?.close();
    await this.#http?.close();
  }

  async #openDesk(): Promise<ClientDesk> {
    const { ClientDesk } = await import('./monitor/client-desk.ts');
    const { supervisor } = this.#parts;
    return new ClientDesk({
      watch: await this.#look(),
      traces: await this.#trace(),
      send: (worker, answer) => supervisor.order(worker, answer),
    });
  }

  #trace(): Promise<TraceDesk> {
    this.#traces ??= this.#openTraces();
    return this.#traces;
  }

  async #openTraces(): Promise<TraceDesk> {
    const { TraceDesk } = await import('./trace/trace-desk.ts');
    const { resolved, spec, supervisor } = this.#parts;
    const { counters } = supervisor.memory;
    const ring = ringCounters(counters);
    const daemonNames = allHosts(resolved.configuration.segments).map(({ name }) => name);
    return new TraceDesk({
      name: spec.name,
      daemonNames,
      present: () =>
        daemonNames.filter((_, node) => ((ring[OrderingCounter.MemberBits + (node >>> 5)]! >>> (node & 31)) & 1) === 1),
      ringSeq: () => ring[RING_NODE_COUNTERS + RingCounter.RingSeq]!,
      deliveryWorkers: counters.deliveryWorkers,
      order: (role, order) => supervisor.order(role, order),
    });
  }

  #look(): Promise<DaemonView> {
    this.#view ??= this.#openView();
    return this.#view;
  }

  async #openView(): Promise<DaemonView> {
    const { DaemonView } = await import('./http/daemon-view.ts');
    const { resolved, spec, threadingMode, delivery, supervisor } = this.#parts;
    const view = new DaemonView({
      info: {
        name: spec.name,
        release: packageRelease(),
        threadingMode,
        node: process.versions.node,
        pid: process.pid,
        startedAt: this.#startedAt,
      },
      daemons: allHosts(resolved.configuration.segments),
      self: resolved.self.node,
      counters: supervisor.memory.counters,
      limits: () => {
        const { maxSessions, limits, maxQueuedBytes } = delivery();
        const { maxSessionMessages, maxSessionBytes } = limits;
        return { maxSessions, maxSessionMessages, maxSessionBytes, maxQueuedBytes };
      },
      inspect: () => supervisor.inspect(),
      loads: () => supervisor.loads(),
      events: this.#events,
    });
    if (this.#isRunning) view.running();
    if (this.#isDraining) view.draining();
    return view;
  }
}
