import { readFileSync } from 'node:fs';

export interface MemorySample {
  /** Since the start of the load. */
  readonly atMs: number;
  readonly residentBytes: number;
}

export interface MemoryVerdict {
  readonly peakBytes: number;
  /** Medians of the first and the last quarter of the time after warm-up. */
  readonly firstQuarterBytes: number;
  readonly lastQuarterBytes: number;
  /** Of the straight line closest to the samples after warm-up, bytes per minute. */
  readonly slopePerMinute: number;
  /** What the last quarter may have over the first. */
  readonly allowedBytes: number;
  /** Medians of each minute from the start. */
  readonly minuteBytes: readonly number[];
  /** With everyone disconnected, at the very end. */
  readonly restBytes: number;
  /** Null when there are too few samples after warm-up to tell. */
  readonly flat: boolean | null;
}

/** What a heap that is collected now and then may differ by, without there being a leak. */
const ALLOWED_BYTES = 32 * 1024 * 1024;
const ALLOWED_PART = 0.2;
/** A heap takes its time to find its size: what less time shows is no trend. */
const MIN_JUDGED_MS = 180_000;

export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return found === null ? 0 : Number(found[1]) * 1024;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/**
 * Flat means: after `warmUpMs`, the last quarter of the samples, and what remains when everyone has gone, lie at most 32 MiB or a
 * fifth, whichever is more, above the first quarter.
 */
export function judgeMemory(samples: readonly MemorySample[], warmUpMs: number, restBytes: number): MemoryVerdict {
  const warm = samples.filter((sample) => sample.atMs >= warmUpMs);
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  const resident = warm.map((sample) => sample.residentBytes);
  const firstQuarterBytes = median(resident.slice(0, quarter));
  const lastQuarterBytes = median(resident.slice(-quarter));
  const grownBytes = Math.max(lastQuarterBytes, restBytes) - firstQuarterBytes;
  const judgedMs = (warm.at(-1)?.atMs ?? 0) - (warm[0]?.atMs ?? 0);
  const allowedBytes = Math.max(ALLOWED_BYTES, firstQuarterBytes * ALLOWED_PART);
  return {
    peakBytes: Math.max(0, ...samples.map((sample) => sample.residentBytes)),
    firstQuarterBytes,
    lastQuarterBytes,
    slopePerMinute: slope(warm) * 60_000,
    allowedBytes,
    minuteBytes: byMinute(samples),
    restBytes,
    flat: judgedMs < MIN_JUDGED_MS ? null : grownBytes <= allowedBytes,
  };
}

function byMinute(samples: readonly MemorySample[]): number[] {
  const minutes = new Map<number, number[]>();
  for (const sample of samples) {
    const minute = Math.max(0, Math.floor(sample.atMs / 60_000));
    const values = minutes.get(minute) ?? [];
    values.push(sample.residentBytes);
    minutes.set(minute, values);
  }
  return [...minutes.values()].map(median);
}

/** Least squares, bytes per millisecond. */
function slope(samples: readonly MemorySample[]): number {
  const count = samples.length;
  if (count < 2) return 0;
  let [sumX, sumY, sumXX, sumXY] = [0, 0, 0, 0];
  for (const { atMs, residentBytes: bytes } of samples) {
    sumX += atMs;
    sumY += bytes;
    sumXX += atMs * atMs;
    sumXY += atMs * bytes;
  }
  const spread = count * sumXX - sumX * sumX;
  return spread === 0 ? 0 : (count * sumXY - sumX * sumY) / spread;
}
