/**
 * What a daemon tells of itself to those who look, whichever way they come: over HTTP (daemon-http.ts) or the client port
 * (../monitor/client-desk.ts). It looks at the daemon once a second, from the thread that started it.
 */
import { Registry } from 'prom-client';
import { type CountersMemory, DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { readCounters } from '../../engine/buffers/read-counters.ts';
import type { Inspection } from '../../workers/inspection.ts';
import type { ThreadLoad } from '../../workers/supervisor.ts';
import { CheckValues } from './check-values.ts';
import { registerCounterMetrics } from './counter-metrics.ts';
import type { EventLog } from './event-log.ts';
import { Health } from './health.ts';
import { LoopDelay } from './loop-delay.ts';
import { registerOwnMetrics } from './own-metrics.ts';
import { type ConfiguredDaemon, ringStatus } from './ring-status.ts';
import { Sampler } from './sampler.ts';
import { SessionWatch } from './slow-sessions.ts';
import type { DaemonInfo, Hello, RingStatus, SessionStatus, Status, Tick } from './status-types.ts';

const LOOK_MS = 1000;

/** The daemon as it is shown. */
export interface ViewedDaemon {
  readonly info: DaemonInfo;
  /** Of the configuration, in its order. */
  readonly daemons: readonly ConfiguredDaemon[];
  readonly self: number;
  readonly counters: CountersMemory;
  /** As they are now: they may change while the daemon runs. */
  readonly limits: () => Status['limits'];
  readonly inspect: () => Promise<Inspection>;
  readonly loads: () => readonly ThreadLoad[];
  /** What has happened since the start. */
  readonly events: EventLog;
}

export interface WatchListener {
  /** Whether somebody follows all sessions. */
  readonly isWatching: () => boolean;
  /** Every second. */
  readonly tick: (tick: Tick, nowMs: number) => void;
}

export class DaemonView {
  readonly registry = new Registry();
  readonly events: EventLog;
  readonly #daemon: ViewedDaemon;
  readonly #health: Health;
  readonly #sessions: SessionWatch;
  readonly #sampler: Sampler;
  readonly #checks: CheckValues;
  readonly #loopDelay = new LoopDelay();
  readonly #listeners = new Set<WatchListener>();
  #timer: NodeJS.Timeout | null = null;
  #noted: Promise<void> = Promise.resolve();
  /** The last look at all sessions. */
  #inspected: Inspection | null = null;
  #inspectedMs = Number.NEGATIVE_INFINITY;

  constructor(daemon: ViewedDaemon) {
    this.#daemon = daemon;
    this.events = daemon.events;
    this.#health = new Health(daemon.counters);
    this.#sessions = new SessionWatch(daemon.limits, this.events);
    this.#sampler = new Sampler({
      counters: daemon.counters,
      loopDelayMs: () => this.#loopDelay.read('99') * 1000,
      answerMs: () => this.#answerMs(),
    });
    this.registry.setDefaultLabels({ daemon: daemon.info.name });
    registerCounterMetrics(this.registry, daemon.counters);
    registerOwnMetrics(this.registry, {
      info: daemon.info,
      limits: daemon.limits,
      health: () => this.health(),
      members: () => this.#ring().members,
      events: this.events,
      loopDelay: this.#loopDelay,
      loads: daemon.loads,
      inspect: () => this.#inspect(),
    });
    this.#checks = new CheckValues(this.registry);
  }

  /** The daemon serves. */
  running(): void {
    this.#health.running();
    this.#loopDelay.start();
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** The daemon takes no new clients, and will end. */
  draining(): void {
    this.#health.draining();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#loopDelay.stop();
  }

  /** @returns how to end it */
  listen(listener: WatchListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  health(): Status['health'] {
    return this.#health.status();
  }

  /** @param hasSamples with those of the last two minutes */
  hello(hasSamples: boolean): Hello {
    return {
      daemon: this.#daemon.info,
      ring: this.#ring(),
      health: this.health(),
      samples: hasSamples ? this.#sampler.samples : [],
    };
  }

  async status(): Promise<Status> {
    const { inspection, sessions } = await this.#inspect();
    const { counters, limits, info } = this.#daemon;
    return {
      daemon: { ...info, uptimeSeconds: Math.floor((Date.now() - info.startedAt) / 1000) },
      health: this.health(),
      ring: this.#ring(),
      sample: this.#sampler.last,
      limits: limits(),
      sessions: { count: inspection.sessionCount, list: sessions },
      ended: inspection.ended.toSorted((a, b) => a.endedAt - b.endedAt),
      groups: { count: inspection.groupCount, list: inspection.groups },
      events: this.events.list(),
      // Increases count from the first look.
      checks: await this.#noted.then(() => this.#checks.values()),
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
    const listeners = [...this.#listeners];
    // All sessions are walked over only while somebody looks, or some client may be slow.
    if (listeners.some(({ isWatching }) => isWatching()) || this.#sessions.slowCount > 0 || this.#queuedBytes() > 0)
      void this.#inspect();
    this.#noted = this.#checks.note(nowMs);
    const sample = this.#sampler.look(nowMs);
    if (sample === null) return;
    for (const { tick } of listeners) tick({ sample, ring: this.#ring(), health: this.health() }, nowMs);
  }

  #queuedBytes(): number {
    const { counters } = this.#daemon;
    let bytes = 0;
    for (let worker = 0; worker < counters.deliveryWorkers; worker++)
      bytes += deliveryCounters(counters, worker)[DeliveryCounter.QueuedBytes]!;
    return bytes;
  }
}
