/** Metrics beside the counters page: the daemon as a whole, its process and threads, and totals over all sessions. */
import { readdirSync, readFileSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Inspection } from '../../workers/inspection.ts';
import type { ThreadLoad } from '../../workers/supervisor.ts';
import type { EventLog } from './event-log.ts';
import { LOOP_PERCENTILES, type LoopDelay } from './loop-delay.ts';
import type { DaemonInfo, EventKind, HealthStatus, MemberStatus, SessionStatus } from './status-types.ts';

export interface OwnMetricsParts {
  readonly info: DaemonInfo;
  readonly limits: () => { readonly maxSessions: number; readonly maxQueuedBytes: number };
  readonly health: () => HealthStatus;
  readonly members: () => readonly MemberStatus[];
  readonly events: EventLog;
  readonly loopDelay: LoopDelay;
  readonly loads: () => readonly ThreadLoad[];
  /** A look at all sessions, at most a second old. */
  readonly inspect: () => Promise<{ readonly inspection: Inspection; readonly sessions: readonly SessionStatus[] }>;
}

const EVENT_KINDS: readonly EventKind[] = ['membership', 'slow', 'recovered', 'session-ended', 'daemon'];

export function registerOwnMetrics(registry: Registry, parts: OwnMetricsParts): void {
  const registers = [registry];
  /** One number, or several with different labels. */
  const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers,
      collect: async function () {
        this.set(await read());
      },
    });
  };
  const gauges = (
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]> | Promise<Iterable<readonly [string, number]>>,
  ): void => {
    new Gauge({
      name,
      help,
      registers,
      labelNames: [label],
      collect: async function () {
        const values = await read();
        this.reset();
        for (const [of, value] of values) this.set({ [label]: of }, value);
      },
    });
  };
  const counters = (
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ): void => {
    new Counter({
      name,
      help,
      registers,
      labelNames: [label],
      collect() {
        this.reset();
        for (const [of, value] of read()) this.inc({ [label]: of }, value);
      },
    });
  };
  const { info, limits, health, members, events, loopDelay, loads, inspect } = parts;

  new Gauge({
    name: 'skein_build_info',
    help: 'what runs; always 1',
    registers,
    labelNames: ['version', 'node', 'threading_mode'],
  }).set({ version: info.release, node: info.node, threading_mode: info.threadingMode }, 1);
  gauge('skein_start_time_seconds', 'when the daemon started, seconds since 1970', () => info.startedAt / 1000);
  gauge('skein_alive', '1 while all agents run', () => Number(health().alive));
  gauge('skein_ready', '1 while the daemon serves: operational, and not draining', () => Number(health().ready));
  gauges('skein_member_present', '1 for each daemon of the configuration that is in the ring', 'member', () =>
    members().map(({ name, isPresent }) => [name, Number(isPresent)]),
  );
  gauge(
    'skein_members_absent',
    'daemons of the configuration that are not in the ring',
    () => members().filter(({ isPresent }) => !isPresent).length,
  );
  gauge('skein_max_sessions', 'MaxSessions', () => limits().maxSessions);
  gauge('skein_max_queued_bytes', 'MaxQueuedBytes', () => limits().maxQueuedBytes);
  counters('skein_events_total', 'events that /events tells', 'kind', () =>
    EVENT_KINDS.map((kind) => [kind, events.total(kind)]),
  );

  gauge('skein_sessions_slow', 'sessions whose clients do not read what they are sent', async () =>
    count((await inspect()).sessions, ({ isSlow }) => isSlow),
  );
  gauge('skein_session_waiting_bytes_most', 'what waits for the session with most, now', async () =>
    highest((await inspect()).sessions, ({ waitingBytes }) => waitingBytes),
  );
  gauge(
    'skein_session_behind_seconds_most',
    'for how long something has been waiting for the session with most',
    async () => highest((await inspect()).sessions, ({ behindMs }) => behindMs / 1000),
  );
  gauges('skein_thread_answer_seconds', 'how long a thread took to answer a question', 'thread', async () =>
    (await inspect()).inspection.answers.map(({ thread, tookMs }) => [thread, tookMs === null ? 1 : tookMs / 1000]),
  );
  counters('skein_thread_active_seconds_total', "time that a thread's event loop was busy", 'thread', () =>
    loads().map(({ thread, activeMs }) => [thread, activeMs / 1000]),
  );
  counters('skein_thread_idle_seconds_total', "time that a thread's event loop had nothing to do", 'thread', () =>
    loads().map(({ thread, idleMs }) => [thread, idleMs / 1000]),
  );
  gauges('skein_event_loop_delay_seconds', 'how late the event loop of the main thread was', 'percentile', () =>
    LOOP_PERCENTILES.map((percentile) => [percentile, loopDelay.read(percentile)]),
  );

  gauges('skein_process_memory_bytes', 'memory of the process', 'kind', () => {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    return [
      ['resident', rss],
      ['heap_used', heapUsed],
      ['heap_total', heapTotal],
      ['external', external],
      ['array_buffers', arrayBuffers],
    ];
  });
  counters('skein_process_cpu_seconds_total', 'processor time of the process', 'mode', () => {
    const { user, system } = process.cpuUsage();
    return [
      ['user', user / 1e6],
      ['system', system / 1e6],
    ];
  });
  const maxFds = maxOpenFiles();
  if (maxFds === null) return;
  gauge('skein_process_open_fds', 'open files of the process', () => readdirSync('/proc/self/fd').length);
  gauge('skein_process_max_fds', 'files that the process may open', () => maxFds);
}

const count = <T>(items: readonly T[], is: (item: T) => boolean): number => items.filter(is).length;

const highest = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((most, item) => Math.max(most, of(item)), 0);

/** Null: the system does not say. */
function maxOpenFiles(): number | null {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
