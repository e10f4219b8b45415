/** What a micro-benchmark consists of, and what comes out of it. */
import { z } from 'zod';

interface RowBase {
  /** Unique within its family. */
  readonly title: string;
  /** Bytes that one operation moves or looks at; null where bytes mean nothing. */
  readonly bytesPerOperation: number | null;
}

/** Code that is called again and again. */
export interface LoopRow extends RowBase {
  readonly kind: 'loop';
  /** Operations in one call of `run`. */
  readonly operations: number;
  /** Timed by a second harness as well: a design decision hangs on the figure. Not possible together with `before`. */
  readonly decides?: true;
  /** Called before each `run`, and not timed. */
  before?(): void;
  run(): void;
}

/** What takes several threads measures itself. */
export interface SampleRow extends RowBase {
  readonly kind: 'sample';
  /** @returns milliseconds per operation */
  sample(): Promise<number>;
}

export type MicroRow = LoopRow | SampleRow;

/** Rows that are set up together and measured in a thread of their own. */
export interface PreparedFamily {
  readonly rows: readonly MicroRow[];
  close?(): Promise<void>;
}

export interface MicroFamily {
  readonly id: string;
  readonly title: string;
  prepare(): PreparedFamily | Promise<PreparedFamily>;
}

/** Per operation, in nanoseconds. Percentiles are those of whole calls divided by their operations. */
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
  /** Median by the second harness, in a fresh thread; null where none was asked for. */
  secondOpinion: z.number().nonnegative().nullable(),
});
export type MicroResult = z.infer<typeof microResultSchema>;

/** Above this the two harnesses do not tell the same story. */
export const DISAGREEMENT_LIMIT = 0.25;

type Opinions = Pick<MicroResult, 'mean' | 'secondOpinion'>;

/**
 * How far the second opinion is from the first, as a share of it; null without one. The mean is compared, because each sample of the second
 * harness is one: over many calls, those included in which the thread lost its core.
 */
export function disagreement({ mean, secondOpinion }: Opinions): number | null {
  return secondOpinion === null || mean === 0 ? null : secondOpinion / mean - 1;
}

export const disagrees = (opinions: Opinions): boolean => Math.abs(disagreement(opinions) ?? 0) > DISAGREEMENT_LIMIT;
