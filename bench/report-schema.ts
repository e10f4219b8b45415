/** The JSON report: all runs, and all information to judge a figure. It is validated on writing and reading. */
import { z } from 'zod';

const latencySummary = z.object({
  /** Recorded messages. */
  count: z.int().nonnegative(),
  meanUs: z.number(),
  p50Us: z.number(),
  p90Us: z.number(),
  p99Us: z.number(),
  p999Us: z.number(),
  maxUs: z.number(),
  /** Points [percentile, microseconds], ascending. */
  curve: z.array(z.tuple([z.number(), z.number()])),
});
export type LatencySummary = z.infer<typeof latencySummary>;

const runMetrics = z.object({
  /** Deliveries of all receivers together. */
  deliveriesPerSecond: z.number().nonnegative(),
  /** Distinct messages: deliveries of one receiver of each group, summed over the groups. */
  messagesPerSecond: z.number().nonnegative(),
  /** Payload of all receivers together, in 10^6 bytes. */
  megabytesPerSecond: z.number().nonnegative(),
  sent: z.int().nonnegative(),
  delivered: z.int().nonnegative(),
  /** Deliveries that never came. */
  lost: z.int(),
  /** Deliveries that came twice or out of order. */
  disorder: z.int().nonnegative(),
  /** With several senders, whether all receivers saw the same order; null: unknown. */
  oneOrder: z.boolean().nullable(),
  /** From the time a message was due; open-loop runs only. */
  latency: latencySummary.nullable(),
  /** How late the generator itself sent; part of `latency`. */
  lateness: latencySummary.nullable(),
  /** CPU use of all processes of the system under test, in cores. */
  systemCores: z.number(),
  systemPeakResidentBytes: z.number().nonnegative(),
  generatorCores: z.number(),
});
export type RunMetrics = z.infer<typeof runMetrics>;

const run = z.object({
  scenario: z.string(),
  system: z.string(),
  /** 1-based. Runs with the same number were executed in succession, so their ratio is meaningful. */
  repeat: z.int().positive(),
  startedAt: z.iso.datetime(),
  /** Null: the run failed, and `error` gives the reason. */
  metrics: runMetrics.nullable(),
  error: z.string().nullable(),
  /** Limit of messages under way (closed loop), or the rate (open loop). */
  windowMessages: z.int().nullable(),
  ratePerSecond: z.number().nullable(),
});
export type Run = z.infer<typeof run>;

const guarantees = z.object({
  order: z.string(),
  reliability: z.string(),
  membership: z.string(),
});
export type Guarantees = z.infer<typeof guarantees>;

const system = z.object({
  id: z.string(),
  title: z.string(),
  guarantees,
  available: z.boolean(),
  /** Version, or why the system is not available. */
  detail: z.string(),
  /** How the system was started. */
  configuration: z.string(),
});
export type ReportSystem = z.infer<typeof system>;

const scenario = z.object({
  id: z.string(),
  title: z.string(),
  family: z.string(),
  kind: z.enum(['throughput', 'latency']),
  senders: z.int().positive(),
  receivers: z.int().positive(),
  groups: z.int().positive(),
  /** Further connections, which are idle. */
  idleClients: z.int().nonnegative(),
  daemons: z.int().positive(),
  network: z.enum(['loopback', 'namespaces']),
  payloadBytes: z.int().positive(),
  service: z.enum(['agreed', 'safe']),
  /** Messages per write; open-loop runs: 1 unless several are due. */
  batch: z.int().positive(),
  /** Senders set TCP_NODELAY, so each write leaves as its own segment. Older reports, without this field, always did. */
  noDelay: z.boolean().default(true),
  ratePerSecond: z.number().nullable(),
});
export type ReportScenario = z.infer<typeof scenario>;

export const machineSchema = z.object({
  cpu: z.string(),
  cores: z.int().positive(),
  memoryBytes: z.int().positive(),
  kernel: z.string(),
  distribution: z.string(),
  node: z.string(),
  loadAverageBefore: z.number(),
});

export const REPORT_VERSION = 1;

export const reportSchema = z.object({
  reportVersion: z.literal(REPORT_VERSION),
  createdAt: z.iso.datetime(),
  durationSeconds: z.number().nonnegative(),
  command: z.string(),
  commit: z.string(),
  machine: machineSchema,
  measureSeconds: z.number().positive(),
  warmUpSeconds: z.number().nonnegative(),
  /** Warm-up before latencies, at its own rate. */
  latencyWarmUpSeconds: z.number().nonnegative(),
  systems: z.array(system),
  scenarios: z.array(scenario),
  runs: z.array(run),
});
export type Report = z.infer<typeof reportSchema>;

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${source} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Parses a report; the error names the file and the field. */
export function parseReport(text: string, source: string): Report {
  const result = reportSchema.safeParse(parseJson(text, source));
  if (!result.success) throw new Error(`${source} is not a benchmark report: ${z.prettifyError(result.error)}`);
  return result.data;
}
