/** The generated tables of docs/monitoring.md: metrics and checks. */
import { Registry } from 'prom-client';
import { CHECKS, type Check } from '../../daemon/http/checks.ts';
import { EventLog } from '../../daemon/http/event-log.ts';
import { LoopDelay } from '../../daemon/http/loop-delay.ts';
import { COUNTER_METRICS, type CounterMetric } from '../../daemon/http/metric-names.ts';
import { registerOwnMetrics } from '../../daemon/http/own-metrics.ts';
import { NOTHING_TO_REPORT } from '../../workers/inspection.ts';

/** A metric that `registerOwnMetrics` registers, with its labels. */
interface OwnMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

export function ownMetrics(): readonly OwnMetric[] {
  const registry = new Registry();
  registerOwnMetrics(registry, {
    info: { name: '', release: '', node: '', threadingMode: '', pid: 0, startedAt: 0 },
    limits: () => ({ maxSessions: 0, maxQueuedBytes: 0 }),
    health: () => ({ alive: true, ready: true, reason: null }),
    members: () => [],
    events: new EventLog(),
    loopDelay: new LoopDelay(),
    loads: () => [],
    inspect: async () => ({ inspection: { ...NOTHING_TO_REPORT, answers: [] }, sessions: [] }),
  });
  return registry.getMetricsAsArray() as unknown as readonly OwnMetric[];
}

const row = (name: string, type: string, labels: readonly string[], help: string): string =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;

function metricsTable(): string {
  const own = ownMetrics().map(({ name, type, help, labelNames }) => row(name, type, labelNames, help));
  const counters = COUNTER_METRICS.map((metric) => row(metric.name, metric.type, metric.labels, shortHelp(metric)));
  return ['| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...own, ...counters].join('\n');
}

function shortHelp({ counters, labels, help }: CounterMetric): string {
  if (counters.length === 1) return help;
  return `\`${counters[0]!.name}\` of [counters.md](counters.md), by ${labels.at(-1)}`;
}

function checksTable(): string {
  const rows = CHECKS.map(
    (check) =>
      `| \`${check.name}\` | ${limitText(check, check.warning)} | ${limitText(check, check.critical)} | ${check.meaning} |`,
  );
  return ['| Check | Warning | Critical | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function limitText({ trouble, unit, value }: Check, limit: number | null): string {
  if (limit === null) return '';
  if (unit === 'flag') return 'if so';
  const text = unit === 'part' ? `${limit * 100} %` : unit === 'seconds' ? `${limit} s` : limit.toLocaleString('en-US');
  const within = value.increase === true && unit === 'count' ? ' in 5 min' : '';
  return limit === 0 ? `any${within}` : `${trouble} ${text}${within}`;
}

/** Replaces the tables between their marks. */
export function monitoringPage(page: string): string {
  return between(between(page, 'metrics', metricsTable()), 'checks', checksTable());
}

function between(page: string, name: string, text: string): string {
  const begin = `<!-- ${name}: made by "npm run docs:monitoring" -->`;
  const end = `<!-- end of ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/monitoring.md has no marks for ${name}`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}
