/** Runs one measurement: starts the load threads, times the phases, samples the system under test, adds up the results. */
import { setTimeout as delay } from 'node:timers/promises';
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { Piscina } from 'piscina';
import type { LatencySummary, RunMetrics } from '../report-schema.ts';
import { monotonicMs } from './clock.ts';
import type { Endpoint } from './connection.ts';
import { openIdleClients } from './idle-clients.ts';
import { LATENCY_UNIT_MS, type LoadTask, type Pacing, type ReceiveResult, type SendResult } from './load-task.ts';
import { type ProcessSample, sampleProcesses } from './process-stats.ts';
import type { ProtocolChoice } from './protocol.ts';
import {
  createSharedState,
  DONE,
  outstanding,
  PHASE,
  PHASE_CLOSE,
  PHASE_RUN,
  READY,
  type SharedState,
  sentAt,
  TIME_FROM,
  TIME_START,
  TIME_TO,
  type Topology,
} from './shared-state.ts';

export interface LoadRequest {
  readonly protocol: ProtocolChoice;
  readonly endpoints: readonly Endpoint[];
  readonly senderEndpoints: readonly Endpoint[];
  /** Processes of the system under test. */
  readonly pids: readonly number[];
  readonly topology: Topology;
  readonly pacing: Pacing;
  readonly noDelay: boolean;
  readonly payloadBytes: number;
  /** Further connections, which are idle. */
  readonly idleClients: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly run: number;
  readonly senderThreads: number;
  readonly receiverThreads: number;
}

const CONNECT_LIMIT_MS = 30_000;
/** Pause between connecting and the load, in milliseconds. */
const SETTLE_MS = { spread: 30, nats: 30, redis: 30, mqtt: 30, zmtp: 300, cpg: 30 } as const;
/** If a sender is still behind its schedule after this time, the system cannot sustain the rate. */
const STOP_LIMIT_MS = 10_000;
/** A run is drained when everything has arrived, or nothing arrives for this long. */
const DRAIN_SILENCE_MS = 1_000;
const START_LEAD_MS = 20;
const SAMPLE_MS = 50;

const workerFile = new URL('./load-worker.js', import.meta.url).href;

/** Distributes `count` connections over at most `threads` threads. */
function deal(count: number, threads: number): number[][] {
  const hands: number[][] = Array.from({ length: Math.min(count, threads) }, () => []);
  for (let i = 0; i < count; i++) hands[i % hands.length].push(i);
  return hands;
}

async function until(reached: () => boolean, limitMs: number, what: string): Promise<void> {
  const deadlineMs = monotonicMs() + limitMs;
  while (!reached()) {
    if (monotonicMs() > deadlineMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(2);
  }
}

/** Waits until no delivery is missing, or no more arrive. Returns how many are missing. */
async function drained(state: SharedState): Promise<number> {
  let missing = outstanding(state);
  let changedMs = monotonicMs();
  while (missing > 0 && monotonicMs() - changedMs < DRAIN_SILENCE_MS) {
    await delay(5);
    const now = outstanding(state);
    if (now !== missing) changedMs = monotonicMs();
    missing = now;
  }
  return missing;
}

interface Watch {
  readonly first: ProcessSample;
  readonly last: ProcessSample;
  readonly peakResidentBytes: number;
  readonly generatorCores: number;
}

/** Samples the system under test from `fromMs` to `toMs`. */
async function watch(pids: readonly number[], fromMs: number, toMs: number): Promise<Watch> {
  await delay(Math.max(0, fromMs - monotonicMs()));
  const first = sampleProcesses(pids);
  const generatorBefore = process.cpuUsage();
  let peakResidentBytes = first.residentBytes;
  while (monotonicMs() < toMs - SAMPLE_MS) {
    await delay(SAMPLE_MS);
    peakResidentBytes = Math.max(peakResidentBytes, sampleProcesses(pids).residentBytes);
  }
  await delay(Math.max(0, toMs - monotonicMs()));
  const last = sampleProcesses(pids);
  const used = process.cpuUsage(generatorBefore);
  const generatorCores = (used.user + used.system) / 1000 / (last.atMs - first.atMs);
  return { first, last, peakResidentBytes: Math.max(peakResidentBytes, last.residentBytes), generatorCores };
}

const PERCENTILES = [
  0, 10, 25, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999,
];

/** Merged percentiles in microseconds, or null when nothing was recorded. */
function summarise(encoded: readonly string[]): LatencySummary | null {
  const histograms = encoded.map((text): Histogram => decodeFromCompressedBase64(text));
  const [merged, ...rest] = histograms;
  if (merged === undefined) return null;
  for (const histogram of rest) merged.add(histogram);
  if (merged.totalCount === 0) return null;
  const microseconds = (value: number): number => Math.round(value * LATENCY_UNIT_MS * 1e4) / 10;
  const at = (percentile: number): number => microseconds(merged.getValueAtPercentile(percentile));
  return {
    count: merged.totalCount,
    meanUs: microseconds(merged.mean),
    p50Us: at(50),
    p90Us: at(90),
    p99Us: at(99),
    p999Us: at(99.9),
    maxUs: microseconds(merged.maxValue),
    curve: PERCENTILES.map((percentile) => [percentile, at(percentile)]),
  };
}

/** Whether all receivers of a group saw one order; null: unknown (one sender, or missing messages). */
function oneOrder(topology: Topology, hashes: ReadonlyMap<number, number>, lost: number): boolean | null {
  if (topology.senders < 2 || topology.receivers <= topology.groups || lost > 0) return null;
  for (const [receiver, hash] of hashes) {
    if (hash !== hashes.get(receiver % topology.groups)) return false;
  }
  return true;
}

function totalSent(state: SharedState): number {
  let sum = 0;
  for (let sender = 0; sender < state.topology.senders; sender++) {
    for (let group = 0; group < state.topology.groups; group++) {
      sum += Atomics.load(state.words, sentAt(state.topology, sender) + group);
    }
  }
  return sum;
}

/** One measurement. Rejects when a connection fails or the system under test does not become ready. */
export async function runLoad(request: LoadRequest): Promise<RunMetrics> {
  const { idleClients, endpoints, protocol, run } = request;
  const closeIdleClients = await openIdleClients(idleClients, endpoints, protocol, run);
  try {
    return await runBusy(request);
  } finally {
    closeIdleClients();
  }
}

async function runBusy(request: LoadRequest): Promise<RunMetrics> {
  const { topology } = request;
  const state = createSharedState(topology);
  const groupNames = Array.from({ length: topology.groups }, (_, i) => `bench.${request.run.toString(36)}.${i}`);
  const receiverHands = deal(topology.receivers, request.receiverThreads);
  const senderHands = deal(topology.senders, request.senderThreads);
  const threads = receiverHands.length + senderHands.length;
  const pool = new Piscina({ filename: workerFile, minThreads: threads, maxThreads: threads, atomics: 'disabled' });
  const common = {
    run: request.run,
    protocol: request.protocol,
    pacing: request.pacing,
    noDelay: request.noDelay,
    payloadBytes: request.payloadBytes,
    groupNames,
    state,
  };
  const start = (role: LoadTask['role'], hands: readonly number[][]): Promise<unknown>[] => {
    const endpoints = role === 'send' ? request.senderEndpoints : request.endpoints;
    return hands.map((connections) => pool.run({ ...common, endpoints, role, connections } satisfies LoadTask));
  };
  const receiving = Promise.all(start('receive', receiverHands)) as Promise<ReceiveResult[]>;
  let sending: Promise<SendResult[]> = new Promise(() => {});
  const failed = new Promise<never>((_, reject) => receiving.catch(reject));
  failed.catch(() => {});
  const guard = <T>(work: Promise<T>): Promise<T> => Promise.race([work, failed, sending.then(() => work)]);
  try {
    const ready = (): number => Atomics.load(state.words, READY);
    await guard(until(() => ready() >= receiverHands.length, CONNECT_LIMIT_MS, 'receivers connected and subscribed'));
    sending = Promise.all(start('send', senderHands)) as Promise<SendResult[]>;
    sending.catch(() => {});
    await guard(until(() => ready() >= threads, CONNECT_LIMIT_MS, 'senders connected'));
    await delay(SETTLE_MS[request.protocol.kind]);

    const startMs = monotonicMs() + START_LEAD_MS;
    const fromMs = startMs + request.warmUpMs;
    const toMs = fromMs + request.measureMs;
    state.times[TIME_START] = startMs;
    state.times[TIME_FROM] = fromMs;
    state.times[TIME_TO] = toMs;
    Atomics.store(state.words, PHASE, PHASE_RUN);
    const watched = await guard(watch(request.pids, fromMs, toMs));
    await guard(
      until(() => Atomics.load(state.words, DONE) >= senderHands.length, STOP_LIMIT_MS, 'all that was due sent'),
    );
    const undelivered = await guard(drained(state));
    Atomics.store(state.words, PHASE, PHASE_CLOSE);
    const [received, sent] = await Promise.all([receiving, sending]);
    return addUp(request, state, received, sent, receiverHands, watched, undelivered);
  } finally {
    Atomics.store(state.words, PHASE, PHASE_CLOSE);
    await Promise.allSettled([receiving, Promise.race([sending, delay(500)])]);
    await pool.destroy();
  }
}

function addUp(
  request: LoadRequest,
  state: SharedState,
  received: readonly ReceiveResult[],
  sent: readonly SendResult[],
  receiverHands: readonly number[][],
  watched: Watch,
  undelivered: number,
): RunMetrics {
  const { topology } = request;
  const sum = (value: (result: ReceiveResult) => number): number => received.reduce((s, r) => s + value(r), 0);
  const seconds = request.measureMs / 1000;
  const deliveriesPerSecond = sum((r) => r.measured) / seconds;
  const hashes = new Map<number, number>();
  for (const [thread, result] of received.entries()) {
    for (const [i, hash] of result.orderHashes.entries()) hashes.set(receiverHands[thread][i], hash);
  }
  const lost = sum((r) => r.gaps) + undelivered;
  const elapsedMs = watched.last.atMs - watched.first.atMs;
  return {
    deliveriesPerSecond,
    messagesPerSecond: (deliveriesPerSecond * topology.groups) / topology.receivers,
    megabytesPerSecond: (deliveriesPerSecond * request.payloadBytes) / 1e6,
    sent: totalSent(state),
    delivered: sum((r) => r.total),
    lost,
    disorder: sum((r) => r.disorder),
    oneOrder: oneOrder(topology, hashes, lost),
    latency: summarise(received.flatMap((r) => r.latency ?? [])),
    lateness: summarise(sent.flatMap((r) => r.lateness ?? [])),
    systemCores: (watched.last.cpuMs - watched.first.cpuMs) / elapsedMs,
    systemPeakResidentBytes: watched.peakResidentBytes,
    generatorCores: watched.generatorCores,
  };
}
