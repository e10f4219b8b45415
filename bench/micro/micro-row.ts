/** A micro-benchmark and its result. */
import { z } from 'zod';

interface RowBase {
  /** Unique within its family. */
  readonly title: string;
  /** Bytes that one operation moves or reads; null: not applicable. */
  readonly bytesPerOperation: number | null;
}

/** Code that the harness calls repeatedly. */
export interface LoopRow extends RowBase {
  readonly kind: 'loop';
  /** Operations in one call of `run`. */
  readonly operations: number;
  /** A design decision depends on the figure, so a second harness times it as well. Not possible together with `before`. */
  readonly decides?: true;
  /** Called before each `run`, not timed. */
  before?(): void;
  run(): void;
}

/** A row with several threads, which measures itself. */
export interface SampleRow extends RowBase {
  readonly kind: 'sample';
  /** @returns milliseconds per operation */
  sample(): Promise<number>;
}

export type MicroRow = LoopRow | SampleRow;

/** Rows that are set up together and measured in their own thread. */
export interface PreparedFamily {
  readonly rows: readonly MicroRow[];
  close?(): Promise<void>;
}

export interface MicroFamily {
  readonly id: string;
  readonly title: string;
  prepare(): PreparedFamily | Promise<PreparedFamily>;
}

/** Nanoseconds per operation. Percentiles are of whole calls, divided by their operations. */
export const microResultSchema = z.object({
  family: z.string(),
  title: z.string(),
  /** Median. */
  nanoseconds: z.number().nonnegative(),
  mean: z.number().nonnegative(),
  p99: z.number().nonnegative(),
  /** Half the 95 % interval of the mean, in percent of it. */
  relativeMarginPercent: z.number(),
  samples: z.int().nonnegative(),
  bytesPerSecond: z.number().nonnegative().nullable(),
  /** Median by the second harness, in a fresh thread; null: not requested. */
  secondOpinion: z.number().nonnegative().nullable(),
});
export type MicroResult = z.infer<typeof microResultSchema>;

/** Above this the two harnesses disagree. */
export const DISAGREEMENT_LIMIT = 0.25;

type Opinions = Pick<MicroResult, 'mean' | 'secondOpinion'>;

/**
 * Distance of the second opinion from the first, as a share of it; null without one. It compares means, because each sample of the second
 * harness is a mean over many calls, including calls in which the thread lost its core.
 */
export function disagreement({ mean, secondOpinion }: Opinions): number | null {
  return secondOpinion === null || mean === 0 ? null : secondOpinion / mean - 1;
}

export const disagrees = (opinions: Opinions): boolean => Math.abs(disagreement(opinions) ?? 0) > DISAGREEMENT_LIMIT;
