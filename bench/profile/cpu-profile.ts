/** Summarises a `.cpuprofile`: where the time of one thread went. */
import { z } from 'zod';

const cpuProfileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({
        functionName: z.string(),
        url: z.string(),
        /** Line and column are 0-based. */
        lineNumber: z.int(),
        columnNumber: z.int(),
      }),
    }),
  ),
  /** Microseconds of the machine's monotonic clock. */
  startTime: z.number(),
  samples: z.array(z.int()),
  /** Microseconds since the previous sample. */
  timeDeltas: z.array(z.number()),
});
export type CpuProfile = z.infer<typeof cpuProfileSchema>;

/** @throws when the text is not a profile; the error names `source` */
export function parseCpuProfile(text: string, source: string): CpuProfile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${source} is not JSON`);
  }
  const result = cpuProfileSchema.safeParse(json);
  if (!result.success) throw new Error(`${source} is not a CPU profile: ${z.prettifyError(result.error)}`);
  return result.data;
}

export interface FunctionTime {
  readonly name: string;
  /** `file:line`, empty for the engine's own. */
  readonly place: string;
  readonly selfMs: number;
}

export interface ProfileSummary {
  readonly totalMs: number;
  /** Time without waiting for work. */
  readonly busyMs: number;
  /** Longest self time first, without waiting. */
  readonly functions: readonly FunctionTime[];
}

/** Maps a place in a built file to its source file. */
export type Locate = (url: string, line: number, column: number) => string;

/** Part of a run that counts, in milliseconds of the machine's monotonic clock. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * @param interval the part to summarise, because start and stop of a daemon would hide its work
 * @param waiting functions besides `(idle)` whose self time is waiting, such as the one in which a thread blocks on its doorbell
 */
export function summarise(
  profile: CpuProfile,
  locate: Locate,
  interval: Interval,
  waiting: readonly string[] = ['wait', 'block'],
): ProfileSummary {
  const selfUs = new Map<number, number>();
  let totalUs = 0;
  let atMs = profile.startTime / 1000;
  for (const [i, node] of profile.samples.entries()) {
    const us = Math.max(0, profile.timeDeltas[i] ?? 0);
    atMs += us / 1000;
    if (atMs < interval.fromMs || atMs > interval.toMs) continue;
    totalUs += us;
    selfUs.set(node, (selfUs.get(node) ?? 0) + us);
  }
  const functions = new Map<string, FunctionTime>();
  let waitingUs = 0;
  for (const { id, callFrame } of profile.nodes) {
    const us = selfUs.get(id) ?? 0;
    if (us === 0) continue;
    const { functionName, url, lineNumber, columnNumber } = callFrame;
    if (functionName === '(idle)' || waiting.includes(functionName)) {
      waitingUs += us;
      continue;
    }
    const name = functionName === '' ? '(anonymous)' : functionName;
    const place = url === '' ? '' : locate(url, lineNumber, columnNumber);
    const key = `${name} ${place}`;
    functions.set(key, { name, place, selfMs: (functions.get(key)?.selfMs ?? 0) + us / 1000 });
  }
  return {
    totalMs: totalUs / 1000,
    busyMs: (totalUs - waitingUs) / 1000,
    functions: [...functions.values()].sort((a, b) => b.selfMs - a.selfMs),
  };
}

export function formatSummary(title: string, summary: ProfileSummary, count: number): string {
  const { totalMs, busyMs, functions } = summary;
  const share = (ms: number): string => `${((ms * 100) / Math.max(busyMs, 1e-9)).toFixed(1)} %`;
  const head = `${title}: busy ${busyMs.toFixed(0)} of ${totalMs.toFixed(0)} ms (${((busyMs * 100) / Math.max(totalMs, 1e-9)).toFixed(0)} %)`;
  const rows = functions
    .slice(0, count)
    .map(({ name, place, selfMs }) => `  ${share(selfMs).padStart(7)}  ${name.padEnd(28)} ${place}`);
  return [head, ...rows].join('\n');
}
