/** Tells a spill which ranges of one term of the log a session waits for. */
import { OWNED, RANGE_END, RANGE_START, RANGE_TERM, RANGE_TERM_BUFFER, type RangeQueue } from './range-queue.ts';
import type { SharedSpill } from './shared-spill.ts';

/** The ranges of `term` from the one at `first` on, up to the first of another term. */
export function markRanges(ranges: RangeQueue, first: number, term: number, spill: SharedSpill): void {
  const { words } = ranges;
  for (let i = first; i < ranges.count; i++) {
    const at = ranges.at(i);
    if (words[at + RANGE_TERM] !== term) return;
    if (words[at + RANGE_TERM_BUFFER] !== OWNED) spill.mark(words[at + RANGE_START]!, words[at + RANGE_END]!);
  }
}

/** As `markRanges`, for a session with these numbers. */
export function wantRanges(
  ranges: RangeQueue,
  first: number,
  term: number,
  spill: SharedSpill,
  low: number,
  high: number,
): void {
  const { words } = ranges;
  for (let i = first; i < ranges.count; i++) {
    const at = ranges.at(i);
    if (words[at + RANGE_TERM] !== term) return;
    if (words[at + RANGE_TERM_BUFFER] !== OWNED)
      spill.want(words[at + RANGE_START]!, words[at + RANGE_END]!, low, high);
  }
}
