/** The scenarios. Counts are connections. Each receiver is in one group; a sender sends to all groups in turn. */
import type { ReportScenario } from './report-schema.ts';

export interface Scenario extends ReportScenario {
  /** Part of the default set of `npm run bench`. */
  readonly headline: boolean;
  /** Systems that are measured besides the headline ones. */
  readonly variants: readonly string[];
  /** Open loop at this share of the system's own maximum, instead of a fixed rate. */
  readonly saturationShare: number | null;
}

type Choice = Partial<Scenario> & Pick<Scenario, 'id' | 'title' | 'family' | 'kind'>;

const DEFAULT_BATCH = 32;

const scenario = (choice: Choice): Scenario => ({
  senders: 1,
  receivers: 1,
  groups: 1,
  idleClients: 0,
  daemons: 1,
  network: 'loopback',
  payloadBytes: 256,
  service: 'agreed',
  batch: choice.kind === 'latency' ? 1 : DEFAULT_BATCH,
  noDelay: choice.kind === 'latency',
  ratePerSecond: null,
  headline: false,
  variants: [],
  saturationShare: null,
  ...choice,
});

const THREADING_MODES = ['skein-dedicated', 'skein-shared-network', 'skein-shared', 'skein-inline'];
/** The original ring instead of the accelerated one. */
const RING_RULES = ['skein-original', 'spread-original'];
const RING_VARIANTS = [...RING_RULES, 'skein-sealed', 'skein-datagram-1400', 'skein-datagram-8k', 'skein-datagram-16k'];

const sizeName = (bytes: number): string => (bytes >= 1024 ? `${Math.round(bytes / 1024)}k` : String(bytes));
const sizeTitle = (bytes: number): string => (bytes >= 1024 ? `${Math.round(bytes / 1024)} KB` : `${bytes} B`);

const oneToOne = (bytes: number, headline: boolean): Scenario =>
  scenario({
    id: `one-to-one-${sizeName(bytes)}`,
    title: `1 to 1, ${sizeTitle(bytes)}`,
    family: 'size',
    kind: 'throughput',
    payloadBytes: bytes,
    headline,
    variants: ['mosquitto-qos1', 'skein-tls', ...(bytes === 64 || bytes === 8192 ? THREADING_MODES : [])],
  });

const oneToMany = (receivers: number, headline: boolean): Scenario =>
  scenario({
    id: `one-to-${receivers}`,
    title: `1 to ${receivers}, 256 B`,
    family: 'clients',
    kind: 'throughput',
    receivers,
    headline,
    variants: receivers === 10 ? THREADING_MODES : [],
  });

const latencyAt = (ratePerSecond: number, headline: boolean, variants: readonly string[] = []): Scenario =>
  scenario({
    id: `latency-${ratePerSecond / 1000}k`,
    title: `latency at ${ratePerSecond.toLocaleString('en')} msg/s, 256 B`,
    family: 'load',
    kind: 'latency',
    ratePerSecond,
    headline,
    variants,
  });

function ring(daemons: number, bytes: number, network: 'loopback' | 'namespaces', headline: boolean): Scenario {
  const suffix = network === 'namespaces' ? '-netns' : '';
  return scenario({
    id: `ring-${daemons}-${sizeName(bytes)}${suffix}`,
    title: `ring of ${daemons}, ${sizeTitle(bytes)}${network === 'namespaces' ? ', namespaces' : ''}`,
    family: 'ring',
    kind: 'throughput',
    senders: daemons,
    receivers: daemons,
    daemons,
    network,
    payloadBytes: bytes,
    headline,
    // One size is enough for the variants; the full matrix would take hours.
    variants: daemons === 3 && bytes === 1024 ? RING_VARIANTS : [],
  });
}

const ringLatency = (daemons: number, service: 'agreed' | 'safe', network: 'loopback' | 'namespaces'): Scenario => {
  const suffix = network === 'namespaces' ? '-netns' : '';
  return scenario({
    id: `ring-${daemons}-latency-${service}${suffix}`,
    title: `ring of ${daemons}, ${service}, 1,000 msg/s${network === 'namespaces' ? ', namespaces' : ''}`,
    family: 'ring-latency',
    kind: 'latency',
    senders: daemons,
    receivers: daemons,
    daemons,
    network,
    service,
    ratePerSecond: 1000,
    variants: RING_RULES,
  });
};

export const scenarios: readonly Scenario[] = [
  oneToOne(64, true),
  scenario({
    id: 'one-to-one-64-unbatched',
    title: '1 to 1, 64 B, one write per message',
    family: 'single',
    kind: 'throughput',
    payloadBytes: 64,
    batch: 1,
    headline: true,
  }),
  scenario({
    id: 'one-to-one-64-nodelay',
    title: '1 to 1, 64 B, one write and one segment per message',
    family: 'single',
    kind: 'throughput',
    payloadBytes: 64,
    batch: 1,
    noDelay: true,
  }),
  oneToOne(256, false),
  oneToOne(1024, true),
  oneToOne(8192, true),
  oneToOne(102_400, false),
  oneToMany(10, true),
  oneToMany(100, false),
  scenario({
    id: 'four-to-four',
    title: '4 to 4 in one group, 256 B',
    family: 'single',
    kind: 'throughput',
    senders: 4,
    receivers: 4,
    headline: true,
  }),
  scenario({
    id: 'thousand-groups',
    title: '1,000 clients in 1,000 groups, 256 B',
    family: 'clients',
    kind: 'throughput',
    senders: 4,
    receivers: 1000,
    groups: 1000,
  }),
  scenario({
    id: 'idle-clients',
    title: '1 to 1, 256 B, beside 900 idle clients',
    family: 'clients',
    kind: 'throughput',
    idleClients: 900,
  }),
  latencyAt(1000, true, [...THREADING_MODES, 'skein-tls']),
  latencyAt(10_000, false),
  latencyAt(50_000, true, THREADING_MODES),
  scenario({
    id: 'latency-80',
    title: 'latency at 80 % of saturation, 256 B',
    family: 'load',
    kind: 'latency',
    saturationShare: 0.8,
  }),
  scenario({ id: 'safe-256', title: '1 to 1, 256 B, safe', family: 'single', kind: 'throughput', service: 'safe' }),
  scenario({
    id: 'latency-1k-safe',
    title: 'latency at 1,000 msg/s, 256 B, safe',
    family: 'single',
    kind: 'latency',
    service: 'safe',
    ratePerSecond: 1000,
  }),
  ring(3, 256, 'loopback', true),
  ring(3, 1024, 'loopback', false),
  ring(3, 8192, 'loopback', false),
  ring(5, 256, 'loopback', false),
  ring(5, 1024, 'loopback', false),
  ring(5, 8192, 'loopback', false),
  ringLatency(3, 'agreed', 'loopback'),
  ringLatency(3, 'safe', 'loopback'),
  ring(3, 256, 'namespaces', false),
  ring(3, 1024, 'namespaces', false),
  ring(3, 8192, 'namespaces', false),
  ring(5, 256, 'namespaces', false),
  ringLatency(3, 'agreed', 'namespaces'),
  ringLatency(3, 'safe', 'namespaces'),
];

/** A first look in about a minute. */
export const QUICK_SCENARIOS: readonly string[] = ['one-to-one-64', 'one-to-10', 'latency-1k'];

const MAX_WINDOW_MESSAGES = 8192;
const MAX_WINDOW_BYTES = 2 * 1024 * 1024;
const MIN_WINDOW_MESSAGES = 16;
/** Bounds the backlog of a slow system after a run with many receivers. */
const MAX_WINDOW_DELIVERIES = 32_768;

/**
 * Maximum number of messages under way to the slowest receiver. It is bounded in messages and bytes, to stay below every system's limit for
 * slow consumers, which is about failing receivers and not about speed.
 */
export function windowMessages(scenario: Scenario): number {
  const byBytes = Math.floor(MAX_WINDOW_BYTES / (scenario.payloadBytes + 80));
  const byDeliveries = Math.floor((MAX_WINDOW_DELIVERIES * scenario.groups) / scenario.receivers);
  const window = Math.min(MAX_WINDOW_MESSAGES, byBytes, byDeliveries);
  return Math.max(MIN_WINDOW_MESSAGES, scenario.groups * 2 * scenario.senders, window);
}
